// The payment list of a month.

import { toCsv } from "../../lib/csv";
import { factsOf, isFact, numberOf, textOf } from "./facts";

export interface Payment {
  name: string;
  region: string;
  aid: string;
  /** In fen. */
  amount: number;
  once: boolean;
  case: string | null;
}

export function paymentsOf(raw: unknown): Payment[] {
  return factsOf(isFact(raw) ? raw : null, "payments").map((each): Payment => ({
    name: textOf(each, "payee") ?? "",
    region: textOf(each, "region_name") ?? textOf(each, "region") ?? "",
    aid: textOf(each, "aid") ?? "",
    amount: numberOf(each, "amount") ?? 0,
    once: each["once"] === true,
    case: textOf(each, "case"),
  }));
}

export const total = (rows: readonly Payment[]): number =>
  rows.reduce((sum, row) => sum + row.amount, 0);

/** The months to choose from: a year back, and two ahead of the present one. */
export function monthsAround(now: string): string[] {
  const at = Number(now.slice(0, 4)) * 12 + Number(now.slice(5, 7)) - 1;
  return Array.from({ length: 15 }, (_, back) => {
    const month = at + 2 - back;
    return `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, "0")}`;
  });
}

export function paymentsCsv(
  rows: readonly Payment[],
  heads: readonly string[],
  aidText: (code: string) => string,
): string {
  const lines = rows.map((row) => [
    row.name, row.region, aidText(row.aid), (row.amount / 100).toFixed(2), row.once ? "1" : "",
    row.case ?? "",
  ]);
  return toCsv([heads, ...lines]);
}
