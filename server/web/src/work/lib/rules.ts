// The rules of warnings, with what came of each in the last run.

import type { Said } from "../../lib/case-wire";
import { factOf, factsOf, isFact, numberOf, saidOf, textOf } from "./facts";

export interface RuleShown {
  id: string;
  group: string;
  level: string;
  name: Said | string;
  legal: Said | string | null;
  /** It is evaluated, and raises nothing. */
  trial: boolean;
  /** How many it points at; null if it was not evaluated. */
  fires: number | null;
  /** The source that was late, and the last day it spoke of. */
  late: string | null;
  last: string | null;
}

export function rulesOf(raw: unknown): RuleShown[] {
  return factsOf(isFact(raw) ? raw : null, "rules").map((each) => {
    const late = factOf(each, "late");
    const evaluated = textOf(each, "outcome") !== "not_evaluated";
    return {
      id: textOf(each, "rule") ?? "",
      group: textOf(each, "group") ?? "",
      level: textOf(each, "level") ?? "yellow",
      name: saidOf(each, "name") ?? "",
      legal: saidOf(each, "legal"),
      trial: each["trial"] === true,
      fires: evaluated ? (numberOf(each, "hits") ?? 0) : null,
      late: evaluated ? null : (textOf(late, "source") ?? ""),
      last: textOf(late, "last_day"),
    };
  });
}

export interface RunShown {
  at: string | null;
  snapshot: number | null;
  raised: number;
}

export function runOf(raw: unknown): RunShown {
  const run = isFact(raw) ? raw : {};
  return {
    at: textOf(run, "at"),
    snapshot: numberOf(run, "snapshot"),
    raised: numberOf(factOf(run, "raised"), "new") ?? 0,
  };
}
