// The words of the staff pages, in the language that is chosen.

import { said, type Said } from "../lib/case-wire";
import { day } from "../lib/format";
import { language } from "../state/language";
import { words } from "../state/words";
import { en } from "./locales/en";
import { zh, type WorkKey } from "./locales/zh";

export type { WorkKey };

/** The text of a key, with `{name}` replaced by the value of that name. */
export const w = words(zh, en);

/** A text that the program sent in both languages, or in one. */
export function say(text: Said | string | null | undefined): string {
  return typeof text === "string" ? text : said(text, language.value);
}

/** The text of a key that may not be one: the fallback then. */
export function wordOr(key: string, fallback: string): string {
  return Object.hasOwn(zh, key) ? w(key as WorkKey) : fallback;
}

/** `2026-10-31` as the language writes it. */
export function dayText(iso: string | null | undefined): string {
  return iso ? day(iso.slice(0, 10), language.value) : "";
}

/** `2026-10-31T09:05:12.5` as `2026-10-31 09:05`. */
export function momentText(iso: string | null | undefined): string {
  return iso ? iso.slice(0, 16).replace("T", " ") : "";
}
