// What a state of a case means for the citizen whose it is, in a sentence; and how far it is.

import type { Case, CaseHead } from "../lib/case-wire";
import type { Language } from "../lib/format";
import { said, type Said } from "../lib/case-wire";
import { isPaid, isPosted } from "./aids";
import type { zh } from "./words-zh";

const SENTENCES: Record<string, Said> = {
  "application.draft": { zh: "还没有交。填好以后请点“提交”。", en: "Not handed in yet." },
  "application.submitted": { zh: "已经交上去了，等乡镇（街道）受理。", en: "Handed in; the township will accept it." },
  "application.supplementing": { zh: "乡镇请您补充材料，标出来的地方请补上。", en: "The township asks for what is missing." },
  "application.accepted": { zh: "乡镇已经受理，正在核对信息。", en: "Accepted; information is being checked." },
  "application.checked": { zh: "信息核对完了，工作人员会上门看看。", en: "Checked; somebody will visit you." },
  "application.surveyed": { zh: "已经上门看过，乡镇正在审核。", en: "Visited; the township is reviewing." },
  "application.reviewed": { zh: "乡镇审核完了，等下一步。", en: "The township has reviewed it." },
  "application.posted": { zh: "正在村（社区）公示，公示 7 天。", en: "Posted in the village for seven days." },
  "application.confirmed": { zh: "县里已经确认，可以享受。", en: "Confirmed by the county." },
  "application.paying": { zh: "正在发放，钱会打到您的卡上。", en: "Aid is being paid." },
  "application.refused": { zh: "这次申请没有通过。", en: "The application was refused." },
  "application.withdrawn": { zh: "您已经撤回了申请。", en: "You withdrew it." },
  "application.ended": { zh: "这项救助已经停止。", en: "This aid has ended." },
  "declaration.draft": { zh: "还没有交。填好以后请点“提交”。", en: "Not handed in yet." },
  "declaration.submitted": { zh: "已经交上去了，工作人员正在看。", en: "Handed in; it is being looked at." },
  "declaration.returned": { zh: "有几处要您改一改，标出来了。改好再交。", en: "Some answers need a change; they are marked." },
  "declaration.agreed": { zh: "同意了，您家的信息已经登记。", en: "Agreed; your household is registered." },
  "declaration.rejected": { zh: "这次没有登记。下面写了为什么。", en: "Not registered; the reason is below." },
  "declaration.withdrawn": { zh: "您已经撤回了申报。", en: "You withdrew it." },
  "change.draft": { zh: "还没有交。改好以后请点“提交”。", en: "Not handed in yet." },
  "change.submitted": { zh: "已经交上去了，工作人员正在看。", en: "Handed in; it is being looked at." },
  "change.returned": { zh: "有几处要您改一改，标出来了。改好再交。", en: "Some answers need a change; they are marked." },
  "change.agreed": { zh: "同意了，登记的信息已经改好。", en: "Agreed; the registry has been changed." },
  "change.withdrawn": { zh: "您已经撤回了。", en: "You withdrew it." },
  "authorisation.signed": { zh: "授权已经签好。", en: "Signed." },
  "authorisation.withdrawn": { zh: "您已经撤回了这份授权。", en: "You withdrew it." },
  "life_check.issued": { zh: "还没有录音。", en: "No recording yet." },
  "life_check.passed": { zh: "认证通过了，救助照常发放。", en: "Passed; aid goes on." },
  "life_check.visit_due": { zh: "我们会上门看望您，救助照常发放。", en: "Somebody will visit you; aid goes on." },
  "life_check.visited": { zh: "工作人员已经上门看望过。", en: "Somebody has visited you." },
  "survey.planned": { zh: "工作人员会上门看望您。", en: "Somebody will visit you." },
  "report.submitted": { zh: "村里已经替您家上报，乡镇正在看。", en: "The village has reported your household." },
};

const CANCELLED: Said = { zh: "同意了，登记已经注销。", en: "Agreed; the registration is cancelled." };

/** Where a case stands, told to its owner; null if the server's own word has to do. */
export function sentence(head: CaseHead, purpose: string | null, language: Language): string | null {
  if (head.kind === "change" && head.state === "agreed" && purpose === "cancel") {
    return said(CANCELLED, language);
  }
  const found = SENTENCES[`${head.kind}.${head.state}`];
  return found ? said(found, language) : null;
}

export type Word = keyof typeof zh;

export interface Stage {
  word: Word;
  state: "done" | "now" | "later";
}

/** The states of an application in the order of its stages: what has been reached at each. */
const REACHED: Record<string, number> = {
  draft: 0, submitted: 1, supplementing: 1, accepted: 2, checked: 3, surveyed: 4, reviewed: 5,
  posted: 5, confirmed: 7, paying: 8,
};

/** The stages of an application; empty for one that has come to another end. */
export function stagesOf(kind: string, state: string): Stage[] {
  const reached = REACHED[state];
  if (reached === undefined) return [];
  const all: { word: Word; at: number }[] = [
    { word: "stageSubmit", at: 1 },
    { word: "stageAccept", at: 2 },
    { word: "stageCheck", at: 3 },
    { word: "stageSurvey", at: 4 },
    { word: "stageReview", at: 5 },
    ...(isPosted(kind) ? [{ word: "stagePost" as const, at: 6 }] : []),
    { word: isPaid(kind) ? "stageConfirm" : "stageDone", at: 7 },
    ...(isPaid(kind) ? [{ word: "stagePay" as const, at: 8 }] : []),
  ];
  const next = all.find((stage) => stage.at > reached);
  return all.map((stage) => ({
    word: stage.word,
    state: stage.at <= reached ? "done" : stage === next ? "now" : "later",
  }));
}

/** Cases in which the citizen has something to do, the most urgent first. */
export const ASKING: Record<string, Word> = {
  "application.supplementing": "todoSupplement",
  "declaration.returned": "todoReturned",
  "change.returned": "todoReturned",
  "application.draft": "todoDraft",
  "declaration.draft": "todoDraft",
  "change.draft": "todoDraft",
  "life_check.visit_due": "todoVisit",
};

export function asking(cases: CaseHead[]): { head: CaseHead; word: Word }[] {
  const order = Object.keys(ASKING);
  return cases
    .flatMap((head) => {
      const key = `${head.kind}.${head.state}`;
      const word = ASKING[key];
      return word ? [{ head, word, rank: order.indexOf(key) }] : [];
    })
    .sort((a, b) => a.rank - b.rank);
}

export type Tone = "good" | "bad" | "open" | "";

/** The colour of a state's badge. */
export function toneOf(head: CaseHead): Tone {
  if (["agreed", "confirmed", "paying", "passed", "signed"].includes(head.state)) return "good";
  if (["rejected", "refused"].includes(head.state)) return "bad";
  return ["withdrawn", "ended", "visited", "cancelled"].includes(head.state) ? "" : "open";
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** A text among a case's facts, however deep: `decision.on`. */
export function factText(found: Case, path: string): string {
  let value: unknown = found.facts;
  for (const step of path.split(".")) {
    if (typeof value !== "object" || value === null) return "";
    value = (value as Record<string, unknown>)[step];
  }
  return typeof value === "number" ? String(value) : text(value);
}
