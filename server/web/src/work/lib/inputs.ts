// What a command asks for, as a dialog holds it while it is filled, and as JSON when it is sent.

import { isDay } from "../../forms/check";
import { parseYuan } from "../../forms/money";
import type { ActionInput, Mark, Said } from "../../lib/case-wire";

/** Somebody who signs: the name, and the picture of the signature by its digest. */
export interface Signer {
  name: string;
  signature: string;
}

/** A dialog's values by input: what stands in the controls. */
export interface Values {
  [name: string]: string | string[] | boolean | Mark[] | Signer[] | Record<string, string>;
}

export type Faults = Record<string, Said>;

export interface Sent {
  input: Record<string, unknown>;
  faults: Faults;
}

const MISSING: Said = { zh: "这一项必须填写", en: "This is required" };
const CHOOSE: Said = { zh: "请选择一项", en: "Choose one" };
const NO_FILE: Said = { zh: "请至少添加一个文件", en: "Add at least one file" };
const NO_MARK: Said = {
  zh: "请先在表格中点选有误的项目，并写明哪里不对",
  en: "Tap the wrong entries in the form first and say what is wrong",
};
const BAD_MARK: Said = {
  zh: "每个标注的项目都要写明哪里不对",
  en: "Say of every marked entry what is wrong",
};
const BAD_MONEY: Said = {
  zh: "请填写金额，单位元，最多两位小数，例如 1250.50",
  en: "An amount in yuan with at most two decimals, such as 1250.50",
};
const BAD_DATE: Said = {
  zh: "请填写日期，例如 2026-10-31",
  en: "A date such as 2026-10-31",
};
const BAD_NUMBER: Said = { zh: "请填写数字，例如 3", en: "A whole number, such as 3" };
const NO_SIGNATURE: Said = { zh: "请在框内签名，再按“写好了”", en: "Sign in the box, then press Done" };
const BAD_SIGNERS: Said = {
  zh: "每位调查人员都要填写姓名并签名",
  en: "Each of them gives the name and signs",
};
const UNDECIDED: Said = {
  zh: "每一处冲突都要选定采用哪个值",
  en: "Choose a value for every conflict",
};

/** The empty controls of a command. */
export function blankValues(inputs: readonly ActionInput[]): Values {
  return Object.fromEntries(
    inputs.map((input): [string, Values[string]] => {
      switch (input.kind) {
        case "flag":
          return [input.name, false];
        case "codes":
        case "files":
        case "marks":
        case "signatures":
          return [input.name, []];
        case "choices":
          return [input.name, {}];
        default:
          return [input.name, ""];
      }
    }),
  );
}

/** One control's value as it is sent; a fault in its place if it cannot be. */
function read(
  input: ActionInput,
  value: Values[string] | undefined,
  conflicts: readonly string[],
): { value?: unknown; fault?: Said } {
  switch (input.kind) {
    case "flag":
      if (value !== true && input.required) return { fault: MISSING };
      return { value: value === true };
    case "codes":
    case "files": {
      const list = Array.isArray(value) ? value : [];
      if (list.length > 0) return { value: [...list] };
      return input.required ? { fault: input.kind === "files" ? NO_FILE : CHOOSE } : {};
    }
    case "marks": {
      const marks = (Array.isArray(value) ? value : []) as Mark[];
      if (marks.some((mark) => mark.note.trim() === "")) return { fault: BAD_MARK };
      if (marks.length === 0) return input.required ? { fault: NO_MARK } : {};
      return { value: marks.map((mark) => ({ path: mark.path, note: mark.note.trim() })) };
    }
    case "signatures": {
      const signers = (Array.isArray(value) ? value : []) as Signer[];
      const whole = signers.every((one) => one.name.trim() !== "" && one.signature !== "");
      if (!whole) return { fault: BAD_SIGNERS };
      if (signers.length === 0) return input.required ? { fault: BAD_SIGNERS } : {};
      return { value: signers.map((one) => ({ name: one.name.trim(), signature: one.signature })) };
    }
    case "choices": {
      const chosen = (value ?? {}) as Record<string, string>;
      if (conflicts.some((path) => !chosen[path])) return { fault: UNDECIDED };
      return { value: Object.fromEntries(conflicts.map((path) => [path, chosen[path]])) };
    }
    default:
      return readText(input, typeof value === "string" ? value.trim() : "");
  }
}

function readText(input: ActionInput, text: string): { value?: unknown; fault?: Said } {
  if (text === "") {
    if (!input.required) return {};
    if (input.kind === "signature") return { fault: NO_SIGNATURE };
    return { fault: input.kind === "code" || input.kind === "case" ? CHOOSE : MISSING };
  }
  switch (input.kind) {
    case "money":
    case "amount": {
      const typed = parseYuan(text);
      return "fault" in typed || typed.fen === null ? { fault: BAD_MONEY } : { value: typed.fen };
    }
    case "number":
      return /^\d{1,9}$/.test(text) ? { value: Number(text) } : { fault: BAD_NUMBER };
    case "date":
      return isDay(text) ? { value: text } : { fault: BAD_DATE };
    default:
      return { value: text };
  }
}

/**
 * The input of a command. What was left empty is left out; `conflicts` are the paths for which a
 * `choices` must have decided.
 */
export function sentInput(
  inputs: readonly ActionInput[],
  values: Values,
  conflicts: readonly string[] = [],
): Sent {
  const sent: Sent = { input: {}, faults: {} };
  for (const input of inputs) {
    const { value, fault } = read(input, values[input.name], conflicts);
    if (fault) sent.faults[input.name] = fault;
    else if (value !== undefined) sent.input[input.name] = value;
  }
  return sent;
}
