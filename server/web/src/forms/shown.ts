// An answer as it is read.

import { listed, type Lists } from "../lib/case-wire";
import { day, type Language } from "../lib/format";
import { listOf, YES_NO, type Field } from "./form";
import { shownYuan } from "./money";
import { isEmpty } from "./paths";

/** The text of an answer; empty if there is none. Files and signatures have none of their own. */
export function shownValue(field: Field, value: unknown, lists: Lists, language: Language): string {
  if (isEmpty(value)) return "";
  const unit = field.unit ? field.unit[language] : "";
  switch (field.kind) {
    case "money":
      return typeof value === "number"
        ? `${shownYuan(value)} ${unit || (language === "en" ? "yuan" : "元")}`
        : String(value);
    case "int":
      return `${String(value)} ${unit}`.trim();
    case "flag":
      return listed(YES_NO, value, language);
    case "date":
      return day(String(value), language);
    case "code":
      return listed(listOf(field, lists), value, language);
    case "codes":
      return Array.isArray(value)
        ? value
            .map((each) => listed(listOf(field, lists), each, language))
            .join(language === "en" ? ", " : "、")
        : String(value);
    default:
      return typeof value === "string" || typeof value === "number" ? String(value) : "";
  }
}
