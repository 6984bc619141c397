// The five kinds of aid one may apply for, in plain words.

import { said, type Said } from "../lib/case-wire";
import type { Language } from "../lib/format";

export interface Aid {
  kind: string;
  name: Said;
  what: Said;
}

export const AIDS: Aid[] = [
  {
    kind: "dibao",
    name: { zh: "最低生活保障（低保）", en: "Minimum living allowance (dibao)" },
    what: {
      zh: "家里人均收入低于当地低保标准的，每月按差额补足。",
      en: "For households whose income per head is below the local line: the difference, monthly.",
    },
  },
  {
    kind: "tekun",
    name: { zh: "特困人员救助供养", en: "Support for persons in special hardship (tekun)" },
    what: {
      zh: "老人、残疾人、未成年人，没有劳动能力、没有生活来源，也没有人赡养抚养的。",
      en: "For old, disabled or under-age persons who cannot work and have nobody to support them.",
    },
  },
  {
    kind: "temporary",
    name: { zh: "临时救助", en: "Temporary assistance" },
    what: {
      zh: "遇到火灾、车祸、急病等突发困难，一时过不下去的。",
      en: "For a sudden hardship: a fire, an accident, a grave illness.",
    },
  },
  {
    kind: "dibao_edge",
    name: { zh: "最低生活保障边缘家庭认定", en: "Recognition at the edge of dibao" },
    what: {
      zh: "收入比低保标准高一点、不到 1.5 倍的。认定后可以享受相应的专项帮扶。",
      en: "For income above the line but below one and a half of it. Opens other help.",
    },
  },
  {
    kind: "rigid",
    name: {
      zh: "刚性支出困难家庭认定（因病致贫重病患者）",
      en: "Recognition of hardship by unavoidable spending",
    },
    what: {
      zh: "看病、上学等不得不花的钱太多，把家里拖困难了的。",
      en: "For households brought into hardship by medical and other unavoidable costs.",
    },
  },
];

const POSTED = new Set(["dibao", "tekun", "temporary"]);

/** Whether what is proposed is posted in the village for seven days. */
export const isPosted = (kind: string): boolean => POSTED.has(kind);
/** Whether it is money; the others are recognition. */
export const isPaid = isPosted;

export const aidOf = (kind: string): Aid | undefined => AIDS.find((aid) => aid.kind === kind);

export const aidName = (kind: string, language: Language): string => {
  const found = aidOf(kind);
  return found ? said(found.name, language) : kind;
};

/** Aid as the registry knows it, by code. */
const REGISTERED: Record<string, Said> = {
  "11": { zh: "城市低保", en: "Urban dibao" },
  "12": { zh: "农村低保", en: "Rural dibao" },
  "21": { zh: "城市特困供养", en: "Urban tekun" },
  "22": { zh: "农村特困供养", en: "Rural tekun" },
  "31": { zh: "低保边缘家庭", en: "Dibao margin" },
  "32": { zh: "刚性支出困难家庭", en: "Rigid spending" },
  "41": { zh: "临时救助", en: "Temporary assistance" },
  "51": { zh: "困难残疾人生活补贴", en: "Living allowance of disabled persons" },
  "52": { zh: "重度残疾人护理补贴", en: "Care allowance of disabled persons" },
  "61": { zh: "孤儿、事实无人抚养儿童基本生活费", en: "Allowance of orphans" },
};

export const registeredAid = (code: string, language: Language): string => {
  const found = REGISTERED[code];
  return found ? said(found, language) : code;
};

/** Aid that is given once, not every month. */
export const isOnce = (code: string): boolean => code === "41";
