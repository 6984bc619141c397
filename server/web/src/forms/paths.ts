// Paths into answers: `family.address`, `members[1].id_number`. Answers are never changed in
// place: a new value makes new objects along its way.

import type { Answers } from "../lib/case-wire";

export type Step = string | number;

/** Blocks of a form never have more entries than this; a greater number is no path. */
const ENTRIES_MAX = 200;

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** The steps of a path, or null if it is none. */
export function parsePath(path: string): Step[] | null {
  const steps: Step[] = [];
  let rest = path;
  while (rest !== "") {
    const found = /^(?:\.?([A-Za-z_]\w*)|\[(\d{1,3})\])/.exec(rest);
    if (!found) return null;
    const [whole, name, index] = found;
    if (name !== undefined) {
      // A name follows the beginning or a dot; a dot never begins a path.
      if (FORBIDDEN.has(name) || whole.startsWith(".") !== steps.length > 0) return null;
      steps.push(name);
    } else {
      const at = Number(index);
      if (steps.length === 0 || at >= ENTRIES_MAX) return null;
      steps.push(at);
    }
    rest = rest.slice(whole.length);
  }
  return steps.length === 0 ? null : steps;
}

export function formatPath(steps: Step[]): string {
  return steps
    .map((step, at) => (typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`))
    .join("");
}

/** The path of a field; `entry` for a block that repeats. */
export function fieldPath(block: string, entry: number | null, field: string): string {
  return entry === null ? `${block}.${field}` : `${block}[${entry}].${field}`;
}

function child(value: unknown, step: Step): unknown {
  if (typeof step === "number") return Array.isArray(value) ? value[step] : undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
}

/** What stands at a path; undefined if nothing does. */
export function valueAt(answers: unknown, path: string): unknown {
  const steps = parsePath(path);
  if (!steps) return undefined;
  return steps.reduce<unknown>((value, step) => child(value, step), answers);
}

function put(value: unknown, steps: Step[], fresh: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return fresh;
  const inner = put(child(value, step), rest, fresh);
  if (typeof step === "number") {
    const list: unknown[] = Array.isArray(value) ? [...value] : [];
    while (list.length < step) list.push({});
    list[step] = inner;
    return list;
  }
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  const record: Record<string, unknown> = isRecord ? { ...(value as object) } : {};
  if (inner === undefined) delete record[step];
  else record[step] = inner;
  return record;
}

/** The answers with another value at a path; undefined takes the answer away. */
export function withValue(answers: Answers, path: string, fresh: unknown): Answers {
  const steps = parsePath(path);
  return steps ? (put(answers, steps, fresh) as Answers) : answers;
}

/** The answers without one entry of a block that repeats. */
export function withoutEntry(answers: Answers, block: string, entry: number): Answers {
  const list = answers[block];
  if (!Array.isArray(list)) return answers;
  return { ...answers, [block]: list.filter((_, at) => at !== entry) };
}

/** The block that a path leads into. */
export function blockOf(path: string): string {
  return String(parsePath(path)?.[0] ?? "");
}

/** The entry of a repeating block that a path leads into. */
export function entryOf(path: string): number | null {
  const second = parsePath(path)?.[1];
  return typeof second === "number" ? second : null;
}

/** Whether `path` is `of` or lies beneath it. */
export function isWithin(path: string, of: string): boolean {
  return path === of || path.startsWith(`${of}.`) || path.startsWith(`${of}[`);
}

export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  return Array.isArray(value) && value.length === 0;
}
