// What can be seen of an answer without the server: shape, length, the check sign of an ID number.

import type { Fault, Said } from "../lib/case-wire";
import type { FieldKind } from "./form";

const SAID: Record<string, Said> = {
  required: { zh: "这一项要填写", en: "Please fill this in" },
  entries: { zh: "请至少填写一个人", en: "Enter at least one" },
  money: { zh: "请填写金额，例如 1200 或 1200.50", en: "An amount in yuan, such as 1200 or 1200.50" },
  int: { zh: "请填写数字，例如 3", en: "A whole number, such as 3" },
  date: { zh: "请选择日期", en: "Choose a date" },
  id_number: { zh: "身份证号码不对，请对照身份证再看一遍", en: "This is no valid ID number; check it against the card" },
  phone: { zh: "电话号码应该是 11 位数字", en: "A phone number has 11 digits" },
  bank: { zh: "卡号应该是 12 到 19 位数字，请再看一遍", en: "An account number has 12 to 19 digits" },
  any_of: { zh: "请填写出生日期，或者填写年龄", en: "Give one of these" },
  agree: { zh: "请先阅读，同意后打勾", en: "Please read this and agree" },
  region: { zh: "请至少选到县（区）", en: "Choose down to the county at least" },
  village: { zh: "请一直选到村（社区）", en: "Choose down to the village" },
  head: { zh: "家里要有一个人是户主，请在“与户主关系”里选", en: "One of the members must be the head" },
  heads: { zh: "户主只能有一个人", en: "Only one of the members can be the head" },
  twice: { zh: "这一项和前面的人一样了，请再看一遍", en: "The same as an entry before" },
  min: { zh: "填得太小了", en: "Too small" },
  max: { zh: "填得太多或太大了", en: "Too long or too large" },
};

/** A fault that this page found itself. */
export function faultOf(path: string, code: string): Fault {
  const text = SAID[code] ?? { zh: "这一项不对", en: "Not right" };
  return { path, code, ...text };
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_SIGNS = "10X98765432";

/** Whether a day exists: `2024-02-30` does not. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** The ID number as it is kept: no blanks, plain signs, a capital X. */
export function plainId(text: string): string {
  return text
    .replace(/[！-～]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replace(/[\s\u3000-]/g, "")
    .toUpperCase();
}

/** Whether it is an ID number (GB 11643): 18 signs, a real birthday, the right check sign. */
export function isIdNumber(text: string): boolean {
  if (!/^[1-9]\d{16}[\dX]$/.test(text) || birthOf(text) === null) return false;
  const sum = WEIGHTS.reduce((total, weight, at) => total + weight * Number(text[at]), 0);
  return CHECK_SIGNS[sum % 11] === text[17];
}

/** The birthday within an ID number. */
export function birthOf(id: string): string | null {
  const day = `${id.slice(6, 10)}-${id.slice(10, 12)}-${id.slice(12, 14)}`;
  return isDay(day) ? day : null;
}

/** `1` male or `2` female, as an ID number has it. */
export function sexOf(id: string): "1" | "2" | null {
  const digit = Number(id[16]);
  return Number.isInteger(digit) ? (digit % 2 === 1 ? "1" : "2") : null;
}

function longerThan(value: unknown, max: number | null): boolean {
  if (max === null) return false;
  if (typeof value === "number") return value > max;
  if (typeof value === "string") return [...value].length > max;
  return Array.isArray(value) && value.length > max;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** The code of what is wrong with a value that is there; null if nothing is. */
export function checkValue(
  kind: FieldKind,
  value: unknown,
  min: number | null,
  max: number | null,
): string | null {
  const text = typeof value === "string" ? value : "";
  // A masked value stands as it is: the server keeps what is beneath.
  if (text.includes("*")) return null;
  if (kind === "money" && !isCount(value)) return "money";
  if (kind === "int" && !isCount(value)) return "int";
  if (kind === "date" && !isDay(text)) return "date";
  if (kind === "id_number" && !isIdNumber(text)) return "id_number";
  if (kind === "phone" && !/^\d{11}$/.test(text)) return "phone";
  if (kind === "bank" && !/^\d{12,19}$/.test(text)) return "bank";
  if (min !== null && typeof value === "number" && value < min) return "min";
  return longerThan(value, max) ? "max" : null;
}
