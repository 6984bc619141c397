// The words of one page in both languages; Chinese first, and it gives the keys.

import type { Said } from "../lib/case-wire";
import { said } from "../lib/case-wire";
import { language } from "./language";

export type Words<Key extends string> = (
  key: Key,
  values?: Record<string, string | number>,
) => string;

/** The lookup of a page's words, with `{name}` replaced by the value of that name. */
export function words<Messages extends Record<string, string>>(
  zh: Messages,
  en: Record<keyof Messages & string, string>,
): Words<keyof Messages & string> {
  return (key, values = {}) => {
    const text = language.value === "en" ? en[key] : zh[key];
    return (text ?? key).replace(/\{(\w+)\}/g, (whole, name: string) =>
      name in values ? String(values[name]) : whole,
    );
  };
}

/** A text of the server in the language that is shown. */
export const tell = (text: Said | null | undefined): string => said(text, language.value);
