// Lists of the registry that no form asks for, and that its records carry all the same.

import type { Lists } from "../../lib/case-wire";

export const REGISTRY_LISTS: Lists = {
  aid_kind: [
    ["11", "城市低保", "Dibao, urban"],
    ["12", "农村低保", "Dibao, rural"],
    ["21", "城市特困", "Tekun, urban"],
    ["22", "农村特困", "Tekun, rural"],
    ["31", "低保边缘家庭", "Dibao margin"],
    ["32", "刚性支出困难家庭", "Rigid expenditure"],
    ["41", "临时救助", "Temporary aid"],
    ["51", "困难残疾人生活补贴", "Living allowance, disabled"],
    ["52", "重度残疾人护理补贴", "Care allowance, disabled"],
    ["61", "孤儿和事实无人抚养儿童基本生活费", "Orphans' allowance"],
  ],
  relapse_kind: [
    ["1", "脱贫不稳定户", "Unstable after poverty"],
    ["2", "边缘易致贫户", "Close to poverty"],
    ["3", "突发严重困难户", "Sudden severe hardship"],
  ],
};
