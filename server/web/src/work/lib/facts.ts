// What is particular to a kind of case, read from its facts. Facts come from the program, but a
// page must not break over one that is missing: whatever cannot be read is left out.

import type { Case, Said } from "../../lib/case-wire";
import { changeRows, withFound, type ChangeRow, type FoundConflict } from "./conflict";

export type Fact = Record<string, unknown>;

export const isFact = (value: unknown): value is Fact =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function factOf(from: Fact | null | undefined, name: string): Fact | null {
  const found = from?.[name];
  return isFact(found) ? found : null;
}

export function factsOf(from: Fact | null | undefined, name: string): Fact[] {
  const found = from?.[name];
  return Array.isArray(found) ? found.filter(isFact) : [];
}

export function textOf(from: Fact | null | undefined, name: string): string | null {
  const found = from?.[name];
  if (typeof found === "string" && found !== "") return found;
  return typeof found === "number" ? String(found) : null;
}

export function numberOf(from: Fact | null | undefined, name: string): number | null {
  const found = from?.[name];
  return typeof found === "number" && Number.isFinite(found) ? found : null;
}

/** A text in both languages, or one in neither. */
export function saidOf(from: Fact | null | undefined, name: string): Said | string | null {
  const found = from?.[name];
  if (typeof found === "string") return found;
  if (isFact(found) && typeof found["zh"] === "string") return found as unknown as Said;
  return null;
}

export interface CalculationStep {
  label: Said | string;
  /** Yuan where it is money, else a number. */
  value: number | null;
  money: boolean;
}

export interface Calculation {
  /** In fen. */
  amount: number | undefined;
  formula: Said | string | null;
  /** What the policy says of it: met, or by how much not. */
  text: Said | string | null;
  outcome: string | null;
  steps: CalculationStep[];
}

/** How the amount was computed: of the decision if there is one, else of the review. */
export function calculationOf(item: Case): Calculation | null {
  const decided = factOf(factOf(item.facts, "decision"), "calculation");
  const found = decided ?? factOf(item.facts, "calculation");
  if (!found) return null;
  const amount = numberOf(found, "amount") ?? numberOf(found, "cents");
  return {
    amount: amount ?? undefined,
    formula: saidOf(found, "formula"),
    text: saidOf(found, "text"),
    outcome: textOf(found, "outcome"),
    steps: factsOf(found, "steps").map((step) => ({
      label: saidOf(step, "label") ?? "",
      value: numberOf(step, "value"),
      money: step["money"] === true,
    })),
  };
}

const isConflict = (value: unknown): value is FoundConflict =>
  isFact(value) && typeof value["path"] === "string";

/** The rows of a change; none for other kinds. */
export function changeRowsOf(item: Case): ChangeRow[] {
  if (item.kind !== "change") return [];
  const base = item.facts["base"] ?? {};
  const current = item.facts["current"] ?? base;
  const rows = changeRows(base, current, item.answers).filter((row) => !row.path.startsWith("change."));
  const found = item.facts["conflicts"];
  return Array.isArray(found) ? withFound(rows, found.filter(isConflict)) : rows;
}

/** Objections to a posting, each with its finding if it has one. */
export function objectionsOf(item: Case): { text: string; on: string; finding: Fact | null }[] {
  const settled = factsOf(item.facts, "settled");
  return factsOf(item.facts, "objections").map((objection, at) => ({
    text: textOf(objection, "text") ?? "",
    on: textOf(objection, "on") ?? "",
    finding: settled.find((each) => numberOf(each, "objection") === at + 1) ?? null,
  }));
}
