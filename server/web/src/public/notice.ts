// What an applicant reads before applying: rights, duties, how it goes on.

import type { Said } from "../lib/case-wire";

export const NOTICE: Said[] = [
  {
    zh: "一、谁可以申请：共同生活的家庭成员都可以代表家庭提出申请；自己办不了的，可以请村（居）委会或别人帮着办。申请救助不收任何费用。",
    en: "1. Any member may apply for the household; the village committee or others may help. Applying costs nothing.",
  },
  {
    zh: "二、要如实填写：家庭人口、收入、财产、支出情况都要照实填。隐瞒或者作假骗取救助的，要停止救助、退回已领的钱款，情节严重的依法处罚。",
    en: "2. Tell the truth about members, income, property and spending. Aid obtained by deceit is stopped and recovered, and may be punished.",
  },
  {
    zh: "三、要核对信息：核对家庭收入和财产，须由每一位成年家庭成员签署核对授权。没有授权，就不能核对，申请也办不下去。授权可以随时撤回。",
    en: "3. Income and property are checked only with the authorisation of every adult member. It may be withdrawn at any time.",
  },
  {
    zh: "四、怎么办：乡镇（街道）受理后，核对信息、上门调查、提出审核意见；低保、特困供养、临时救助要在村（社区）公示 7 天；最后由县级民政部门确认。材料不全的，一次性告诉您要补什么。",
    en: "4. The township accepts, checks, visits and reviews; some kinds are posted in the village for seven days; the county decides. What is missing is named once.",
  },
  {
    zh: "五、公示什么：只公示申请人姓名（隐去一部分）、所在村、家庭人口数、救助类别和拟救助金额。身份证号、电话、疾病、住址都不公示。",
    en: "5. Posted are only a masked name, the village, the number of members, the kind of aid and the amount.",
  },
  {
    zh: "六、变化要报告：得到救助后，家里人口、收入、财产有变化的，要及时告诉乡镇（街道），或者在这里办理“信息变更”。",
    en: "6. Later changes of members, income or property must be told, to the township or here.",
  },
  {
    zh: "七、不同意怎么办：对不予救助的决定不服的，可以向作出决定的机关问明理由，也可以依法申请行政复议或者提起行政诉讼。",
    en: "7. Against a refusal you may ask for the reasons, an administrative review, or go to court.",
  },
];

export const PRIVACY: Said[] = [
  {
    zh: "一、我同意民政部门为了办理这次救助申请，收集和使用我填写的家庭信息。",
    en: "1. I agree that the civil affairs departments use what I enter to handle this application.",
  },
  {
    zh: "二、这些信息只给办理这件事的工作人员看；谁看过，在“救助情况查询”里可以查到。",
    en: "2. Only those who handle it see it; who looked is shown under “my aid”.",
  },
  {
    zh: "三、查询银行、不动产、车辆、社保等信息，只在我另外签署的核对授权写明的部门、期限内进行。",
    en: "3. Banks and other departments are asked only within a separate, signed authorisation.",
  },
  {
    zh: "四、申请撤回后，不再用这些信息办理救助；依法必须留存的记录除外。",
    en: "4. Once withdrawn, the data are no longer used, except records that the law requires.",
  },
];
