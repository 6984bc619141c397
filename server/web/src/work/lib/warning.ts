// What a warning was raised for, and by when what is due.

import type { Case, Said } from "../../lib/case-wire";
import { factOf, factsOf, saidOf, textOf, type Fact } from "./facts";

export interface Reason {
  label: Said | string;
  value: string;
  threshold: string;
}

/** The words of the program for units. */
const UNITS: Record<string, Said> = {
  yuan: { zh: "元", en: "yuan" },
  "yuan/month": { zh: "元/月", en: "yuan/month" },
  "yuan/year": { zh: "元/年", en: "yuan/year" },
  persons: { zh: "人", en: "persons" },
  years: { zh: "岁", en: "years" },
  days: { zh: "天", en: "days" },
  months: { zh: "个月", en: "months" },
  percent: { zh: "%", en: "%" },
};

const YES_NO = { true: { zh: "是", en: "yes" }, false: { zh: "否", en: "no" } } as const;

/** A value of a reason as it reads, with its unit behind. */
function shown(reason: Fact, name: string, language: "zh" | "en"): string {
  const unit = textOf(reason, "unit") ?? "";
  const text = textOf(reason, name);
  if (text === null) return "—";
  if (text === "true" || text === "false") return YES_NO[text][language];
  const grouped = /^-?\d{4,}(\.\d+)?$/.test(text) && unit.startsWith("yuan")
    ? Number(text).toLocaleString("en-US", { maximumFractionDigits: 2 })
    : text;
  const word = UNITS[unit]?.[language] ?? unit;
  return word === "" || text.endsWith(word) ? grouped : `${grouped} ${word}`;
}

export function reasonsOf(item: Case, language: "zh" | "en"): Reason[] {
  return factsOf(item.facts, "reasons").map((reason) => ({
    label: saidOf(reason, "label") ?? "",
    value: shown(reason, "value", language),
    threshold: shown(reason, "threshold", language),
  }));
}

export interface Source {
  contract: string;
  /** The last day that it spoke of. */
  day: string | null;
}

/** The departments' files that it came from, and the snapshot that was looked at. */
export function sourcesOf(item: Case): { loads: Source[]; snapshot: string | null } {
  const loads = factsOf(item.facts, "load").map((load): Source => ({
    contract: textOf(load, "contract") ?? "",
    day: textOf(load, "last_day"),
  }));
  return { loads, snapshot: textOf(item.facts, "snapshot") };
}

export interface Deadline {
  name: string;
  day: string;
  met: boolean;
  late: boolean;
  /** The one that is running. */
  current: boolean;
}

const ORDER = ["sign", "visit", "decide", "close"];
/** How many of the deadlines are behind a warning in each state. */
const MET: Record<string, number> = {
  generated: 0, assessed: 0, dispatched: 0, signed: 1, investigating: 1, verified: 2, handling: 3,
  feedback: 3, review: 3, closed: 4, archived: 4,
};

export function deadlinesOf(item: Case): Deadline[] {
  const limits = factOf(item.facts, "deadlines");
  const met = MET[item.state] ?? 0;
  return ORDER.flatMap((name, at) => {
    const day = textOf(limits, name);
    if (!day) return [];
    const current = at === met;
    return [{ name, day, met: at < met, late: current && item.overdue, current }];
  });
}
