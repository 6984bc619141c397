// Inputs that name one of several things of the case by number are asked as a choice among them.

import type { Account, Action, ActionInput, Case, Listed } from "../../lib/case-wire";
import { factsOf, numberOf, objectionsOf, textOf } from "./facts";

/** Says of a measure what it is called. */
export type Naming = (code: string) => string;

export interface Transfer {
  /** Its number, from 1. */
  number: number;
  code: string;
  department: string | null;
  text: string | null;
  on: string | null;
  answer: string | null;
  reason: string | null;
  answeredAt: string | null;
}

/** The measures of a warning, each with its department's answer. */
export function transfersOf(item: Case): Transfer[] {
  const replies = factsOf(item.facts, "replies");
  return factsOf(item.facts, "measures").map((measure, at) => {
    const reply = replies.find((each) => numberOf(each, "measure") === at + 1);
    return {
      number: at + 1,
      code: textOf(measure, "code") ?? "",
      department: textOf(measure, "department"),
      text: textOf(measure, "text"),
      on: textOf(measure, "on"),
      answer: textOf(reply, "answer"),
      reason: textOf(reply, "reason"),
      answeredAt: textOf(reply, "at"),
    };
  });
}

function chosen(input: ActionInput, options: Listed[]): ActionInput {
  return { ...input, kind: "code", required: true, options };
}

/** The transfers to a department that it has not answered. */
export function openTransfers(item: Case, department: string | null): Transfer[] {
  return transfersOf(item).filter((each) => each.department !== null && each.answer === null)
    .filter((each) => department === null || each.department === department);
}

/** The action with what its numbers stand for, as the reader may choose it. */
export function withChoices(action: Action, item: Case, who: Account | null, name: Naming): Action {
  const input = action.input.map((each): ActionInput => {
    if (action.name === "reply" && each.name === "measure") {
      const open = openTransfers(item, who?.department ?? null);
      const label = (of: Transfer): string => [name(of.code), of.text].filter(Boolean).join("：");
      return chosen(each, open.map((of) => [String(of.number), label(of), label(of)]));
    }
    if (action.name === "settle" && each.name === "objection") {
      const open = objectionsOf(item).flatMap((of, at): Listed[] =>
        of.finding ? [] : [[String(at + 1), of.text, of.text]],
      );
      return chosen(each, open);
    }
    return each;
  });
  return { ...action, input };
}
