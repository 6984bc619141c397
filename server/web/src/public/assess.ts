// The assessment of a household: its shapes, and how its numbers are read. Answers live in the
// memory of this page only; closing it is forgetting them.

import { shallowRef } from "vue";
import type { Answers, Said } from "../lib/case-wire";
import type { Language } from "../lib/format";
import { shownYuan } from "../forms/money";
import { named, type Form } from "../forms/form";

export type Outcome = "met" | "not_met" | "unknown";

export interface Missing extends Said {
  path: string;
}

export interface Clause {
  id: string;
  label: Said;
  outcome: Outcome;
  /** In `unit`; money in yuan. */
  value: number | null;
  op: string | null;
  threshold: number | null;
  unit: string;
  source: string;
  parameter: string | null;
  invented?: boolean;
  nearest: { value: number; change: number } | null;
  missing?: Missing[];
}

export interface Amount {
  cents: number;
  period?: string;
  formula: Said;
  rounding?: Said;
  /** Yuan where it is money. */
  steps: { label: Said; value: number; money?: boolean }[];
}

export interface Policy {
  policy: string;
  label: Said;
  basis?: string;
  outcome: Outcome;
  text: Said;
  clauses: Clause[];
  amount?: Amount | null;
  bring: Said[];
}

export interface Assessment {
  as_of: string;
  outcomes: Policy[];
}

/** What was answered in the assessment, to begin an application with. */
export const carried = shallowRef<Answers | null>(null);

const UNITS: Record<string, Said> = {
  yuan: { zh: "元", en: "yuan" },
  "yuan/month": { zh: "元/月", en: "yuan a month" },
  "yuan/year": { zh: "元/年", en: "yuan a year" },
  years: { zh: "岁", en: "years" },
  items: { zh: "项", en: "items" },
  houses: { zh: "套", en: "houses" },
  months: { zh: "个月", en: "months" },
  persons: { zh: "人", en: "persons" },
  percent: { zh: "%", en: "%" },
};

const OPS: Record<string, Said> = {
  "<": { zh: "低于", en: "below" },
  "<=": { zh: "不超过", en: "at most" },
  ">": { zh: "高于", en: "above" },
  ">=": { zh: "不低于", en: "at least" },
  "=": { zh: "等于", en: "equal to" },
  "!=": { zh: "不等于", en: "other than" },
};

/** A number with its unit: money with two decimals where it has them. */
export function quantity(value: number, unit: string, language: Language): string {
  const name = UNITS[unit]?.[language] ?? unit;
  const rounded = Math.round(value * 100) / 100;
  const text = unit.startsWith("yuan")
    ? shownYuan(Math.round(value * 100))
    : String(rounded);
  return name === "%" ? `${text}%` : `${text} ${name}`.trim();
}

/** `低于 670 元/月`; empty for a clause that no number decides. */
export function wanted(clause: Clause, language: Language): string {
  if (clause.threshold === null || clause.op === null) return "";
  const op = OPS[clause.op]?.[language] ?? clause.op;
  return `${op} ${quantity(clause.threshold, clause.unit, language)}`;
}

/** By how much a clause that is not met is missed; empty if no number says. */
export function shortBy(clause: Clause, language: Language): string {
  if (clause.outcome !== "not_met" || !clause.nearest) return "";
  return quantity(Math.abs(clause.nearest.change), clause.unit, language);
}

const RANK: Record<Outcome, number> = { met: 0, unknown: 1, not_met: 2 };

/** What is met first, then what cannot be told, then the rest; the book's order within each. */
export const ranked = (policies: Policy[]): Policy[] =>
  [...policies].sort((a, b) => RANK[a.outcome] - RANK[b.outcome]);

/** What a policy lacks to be told, each once. */
export function missingOf(policy: Policy): Missing[] {
  const seen = new Map<string, Missing>();
  for (const clause of policy.clauses) {
    for (const each of clause.missing ?? []) if (!seen.has(each.path)) seen.set(each.path, each);
  }
  return policy.outcome === "unknown" ? [...seen.values()] : [];
}

/** Whether the form asks what is missing, so that one can be led there. */
export const isAsked = (form: Form, missing: Missing): boolean =>
  named(form, missing.path) !== null;
