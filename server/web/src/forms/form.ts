// A form as the server defines it, and what follows from it: which fields are asked, what is
// missing, what a path is called. The server checks again; here it only saves a way.

import type { Answers, Fault, Listed, Lists, Said } from "../lib/case-wire";
import { checkValue, faultOf } from "./check";
import { fieldPath, isEmpty, parsePath, valueAt } from "./paths";

export type FieldKind =
  | "text" | "long_text" | "money" | "date" | "int" | "flag" | "code" | "codes" | "id_number"
  | "phone" | "bank" | "region" | "files" | "signature";

/** A field or part is asked only if another answer is one of these. */
export interface When {
  /** `aid.kind`; without a block, a field of the same entry. */
  field: string;
  is: unknown[];
}

export interface Field {
  name: string;
  kind: FieldKind;
  label: Said;
  required: boolean;
  list: string | null;
  /** How it is hidden from those who have no reason to see it. */
  mask: string | null;
  help: Said | null;
  unit: Said | null;
  when: When | null;
  /** Least number, or number of choices. */
  min: number | null;
  /** Greatest length, number, amount or count, by kind. */
  max: number | null;
  /** A yes that must be given. */
  agree: boolean;
  /** The registry's column, such as `person.sex`. */
  column: string | null;
}

/**
 * A part of a form asks fields of one block of the answers. Two parts may ask of the same block;
 * entries are added and taken away in the first of them.
 */
export interface Part {
  key: string;
  block: string;
  label: Said;
  /** What several parts stand under together. */
  section: Said | null;
  help: Said | null;
  repeats: boolean;
  /** Whether it is the first part of its block. */
  leads: boolean;
  /** Least and greatest number of entries of a block that repeats. */
  min: number;
  max: number;
  /** The field that names an entry. */
  title: string | null;
  when: When | null;
  /** The lengths that a region may have here; none is any. */
  digits: number[];
  /** Fields in which no two entries may agree. */
  unique: string[];
  /** Of each of these groups of fields, one answer is enough, and one is needed. */
  anyOf: string[][];
  fields: Field[];
}

/** What is shown together: one step on a phone. */
export interface Section {
  key: string;
  label: Said;
  parts: Part[];
}

export interface Form {
  name: string;
  title: Said;
  parts: Part[];
  /** The code lists that its fields offer. */
  lists: Lists;
}

const ENTRIES_MAX = 30;

/** Filled by the platform, asked of nobody. */
const UNASKED = new Set(["signed"]);

type Raw = Record<string, unknown>;

const isRaw = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const rawList = (value: unknown): Raw[] => (Array.isArray(value) ? value.filter(isRaw) : []);
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

function label(value: unknown): Said | null {
  if (!isRaw(value)) return null;
  const zh = text(value["zh"]) ?? text(value["en"]);
  return zh === null ? null : { zh, en: text(value["en"]) ?? zh };
}

const nameAsLabel = (name: string): Said => ({ zh: name, en: name });

function when(value: unknown): When | null {
  if (!isRaw(value)) return null;
  const field = text(value["field"]);
  if (!field) return null;
  const is = value["is"];
  return { field, is: Array.isArray(is) ? is : [is] };
}

function readField(raw: Raw): Field {
  const name = text(raw["name"]) ?? "";
  return {
    name,
    kind: (text(raw["kind"]) ?? "text") as FieldKind,
    label: label(raw["label"]) ?? nameAsLabel(name),
    required: raw["required"] === true,
    list: text(raw["list"]),
    mask: text(raw["mask"]),
    help: label(raw["help"]),
    unit: label(raw["unit"]),
    when: when(raw["when"]),
    min: number(raw["min"]),
    max: number(raw["max"]),
    agree: raw["agree"] === true,
    column: text(raw["column"]),
  };
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];

function readLists(raw: unknown): Lists {
  const lists: Lists = {};
  for (const [name, list] of Object.entries(isRaw(raw) ? raw : {})) {
    const rows = Array.isArray(list) ? list.map(texts) : [];
    lists[name] = rows.flatMap(([code, zh, en]) =>
      code === undefined || zh === undefined ? [] : [[code, zh, en ?? zh]],
    );
  }
  return lists;
}

function groups(value: unknown): string[][] {
  if (!Array.isArray(value)) return [];
  return value.map(texts);
}

function readPart(raw: Raw, at: number): Part {
  const block = text(raw["name"]) ?? "";
  const repeats = raw["repeats"] === true;
  return {
    key: `${block}-${at}`,
    block,
    label: label(raw["label"]) ?? nameAsLabel(block),
    section: label(raw["section"]),
    help: label(raw["help"]),
    repeats,
    leads: raw["adds"] === true,
    min: repeats ? (number(raw["min"]) ?? 0) : 0,
    max: number(raw["max"]) ?? ENTRIES_MAX,
    title: text(raw["title"]),
    when: when(raw["when"]),
    digits: Array.isArray(raw["digits"]) ? raw["digits"].map(Number) : [],
    unique: texts(raw["unique"]),
    anyOf: groups(raw["any_of"]),
    fields: rawList(raw["fields"]).map(readField).filter((field) => !UNASKED.has(field.name)),
  };
}

/** The definition of `GET /forms/{name}`. */
export function readForm(raw: unknown): Form {
  const form = isRaw(raw) ? raw : {};
  const name = text(form["name"]) ?? "";
  const parts = rawList(form["blocks"]).map(readPart);
  const title = label(form["label"]) ?? nameAsLabel(name);
  return { name, title, parts, lists: readLists(form["lists"]) };
}

/** Whether a form asks a field at all: a condition on one that it does not ask is left out. */
function asks(form: Form, block: string, name: string): boolean {
  return form.parts.some(
    (part) => part.block === block && part.fields.some((field) => field.name === name),
  );
}

/** Whether a condition holds; `block` and `entry` are where it is written. */
export function meets(
  form: Form,
  condition: When | null,
  answers: Answers,
  block: string,
  entry: number | null,
): boolean {
  if (!condition) return true;
  const dot = condition.field.indexOf(".");
  const [where, name] =
    dot < 0
      ? [block, condition.field]
      : [condition.field.slice(0, dot), condition.field.slice(dot + 1)];
  if (!asks(form, where, name)) return true;
  const found = valueAt(answers, fieldPath(where, dot < 0 ? entry : null, name));
  const matches = (wanted: unknown): boolean =>
    Array.isArray(found) ? found.includes(wanted) : found === wanted;
  return condition.is.some(matches);
}

/** The entries of a part: their numbers, or one null for a block that does not repeat. */
export function entriesOf(part: Part, answers: Answers): (number | null)[] {
  if (!part.repeats) return [null];
  const list = answers[part.block];
  return Array.isArray(list) ? list.map((_, at) => at) : [];
}

export const askedParts = (form: Form, answers: Answers): Part[] =>
  form.parts.filter((part) => meets(form, part.when, answers, part.block, null));

export const askedFields = (
  form: Form,
  part: Part,
  answers: Answers,
  entry: number | null,
): Field[] =>
  part.fields.filter((field) => meets(form, field.when, answers, part.block, entry));

/** The parts that are asked, those beneath one heading together. */
export function sectionsOf(form: Form, answers: Answers): Section[] {
  const sections: Section[] = [];
  for (const part of askedParts(form, answers)) {
    const last = sections.at(-1);
    const together = part.section !== null && last?.label.zh === part.section.zh;
    if (together) last?.parts.push(part);
    else sections.push({ key: part.key, label: part.section ?? part.label, parts: [part] });
  }
  return sections;
}

/** Answers with everything an editor needs to begin: each repeating block has its least entries. */
export function begun(form: Form, answers: Answers): Answers {
  const fresh: Answers = { ...answers };
  for (const part of form.parts) {
    const found = fresh[part.block];
    if (part.repeats) {
      const list: unknown[] = Array.isArray(found) ? [...found] : [];
      while (list.length < part.min) list.push({});
      fresh[part.block] = list;
    } else if (!isRaw(found)) {
      fresh[part.block] = {};
    }
  }
  return fresh;
}

/** Answers with only what a form asks: those of another form, or of the registry, taken over. */
export function fitting(form: Form, answers: Answers): Answers {
  const kept: Answers = {};
  for (const part of form.parts) {
    const found = answers[part.block];
    const asked = new Set(
      form.parts
        .filter((each) => each.block === part.block)
        .flatMap((each) => each.fields.map((field) => field.name)),
    );
    const only = (entry: unknown): Raw =>
      Object.fromEntries(
        Object.entries(isRaw(entry) ? entry : {}).filter(
          ([name, value]) => asked.has(name) && !isEmpty(value),
        ),
      );
    if (part.repeats && Array.isArray(found)) kept[part.block] = found.map(only);
    else if (!part.repeats && isRaw(found)) kept[part.block] = only(found);
  }
  return kept;
}

function fieldFault(field: Field, value: unknown): string | null {
  if (field.agree && value !== true) return field.required ? "agree" : null;
  if (isEmpty(value)) return field.required ? "required" : null;
  return checkValue(field.kind, value, field.min, field.max);
}

const VILLAGE_DIGITS = 12;

const regionFault = (digits: number[]): string =>
  Math.min(...digits) === VILLAGE_DIGITS ? "village" : "region";

/** The code of the head of a household in the list of relations. */
const HEAD = "02";

/** What concerns the entries of a block together: nobody twice, one head. */
function jointFaults(part: Part, answers: Answers): Fault[] {
  const found: Fault[] = [];
  const list = answers[part.block];
  const entries = Array.isArray(list) ? list : [];
  if (entries.length < part.min) found.push(faultOf(part.block, "entries"));
  for (const name of part.unique) {
    const values = entries.map((_, at) => valueAt(answers, fieldPath(part.block, at, name)));
    values.forEach((value, at) => {
      if (isEmpty(value) || values.indexOf(value) === at) return;
      found.push(faultOf(fieldPath(part.block, at, name), "twice"));
    });
  }
  const asksRelation = part.fields.some((field) => field.name === "relation");
  if (part.block === "members" && asksRelation && entries.length > 0) {
    const heads = entries.filter((each) => isRaw(each) && each["relation"] === HEAD);
    const counted = heads.filter((each) => isRaw(each) && each["obligor"] !== true).length;
    if (counted === 0) found.push(faultOf(part.block, "head"));
    if (counted > 1) found.push(faultOf(part.block, "heads"));
  }
  return found;
}

function entryFaults(form: Form, part: Part, answers: Answers, entry: number | null): Fault[] {
  const found: Fault[] = [];
  const asked = askedFields(form, part, answers, entry);
  const at = (name: string): unknown => valueAt(answers, fieldPath(part.block, entry, name));
  for (const field of asked) {
    const value = at(field.name);
    const short = field.kind === "region" && !isEmpty(value) && part.digits.length > 0;
    const code =
      short && !part.digits.includes(String(value).length)
        ? regionFault(part.digits)
        : fieldFault(field, value);
    if (code) found.push(faultOf(fieldPath(part.block, entry, field.name), code));
  }
  for (const group of part.anyOf) {
    const [first] = group;
    if (first === undefined || group.some((name) => !isEmpty(at(name)))) continue;
    found.push(faultOf(fieldPath(part.block, entry, first), "any_of"));
  }
  return found;
}

/** What is missing or malformed in one part. */
export function faultsOf(form: Form, part: Part, answers: Answers): Fault[] {
  const entries = entriesOf(part, answers);
  const found = entries.flatMap((entry) => entryFaults(form, part, answers, entry));
  return part.leads && part.repeats ? [...found, ...jointFaults(part, answers)] : found;
}

export interface Named {
  part: Part;
  entry: number | null;
  field: Field | null;
}

/** What a path of answers leads to in a form. */
export function named(form: Form, path: string): Named | null {
  const steps = parsePath(path);
  if (!steps) return null;
  const entry = typeof steps[1] === "number" ? steps[1] : null;
  const name = steps[entry === null ? 1 : 2];
  const parts = form.parts.filter((part) => part.block === steps[0]);
  const asking = parts.find((part) => part.fields.some((field) => field.name === name));
  const part = asking ?? parts[0];
  if (!part) return null;
  return { part, entry, field: part.fields.find((field) => field.name === name) ?? null };
}

/** Yes and no, as a list. */
export const YES_NO: Listed[] = [
  ["true", "是", "Yes"],
  ["false", "否", "No"],
];

export const listOf = (field: Field, lists: Lists): Listed[] =>
  field.list ? (lists[field.list] ?? []) : [];
