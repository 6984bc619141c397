// What an answer is called and how it reads, by its path and the form that it belongs to.

import { said } from "../../lib/case-wire";
import { named, type Form } from "../../forms/form";
import { shownValue } from "../../forms/shown";
import { language } from "../../state/language";
import { catalogue } from "../state";
import { w } from "../text";

/** `members[1].monthly_income` as the form calls it: 家庭成员 2 · 月收入. */
export function labelOf(form: Form | null, path: string): string {
  const found = form ? named(form, path) : null;
  if (!found) return path;
  const block = said(found.part.label, language.value);
  const which = found.entry === null ? block : `${block} ${found.entry + 1}`;
  return found.field ? `${which} · ${said(found.field.label, language.value)}` : which;
}

/** A value as it reads: money in yuan, codes by what their list calls them. */
export function valueText(form: Form | null, path: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return w("noValue");
  const field = form ? named(form, path)?.field : null;
  const text = field ? shownValue(field, value, catalogue.value?.lists ?? {}, language.value) : "";
  if (text !== "") return text;
  if (typeof value === "boolean") return w(value ? "yes" : "no");
  if (Array.isArray(value)) return value.map(String).join(language.value === "en" ? ", " : "、");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
