// Numbers as officials read them: thousands separators, 万元 for large money, the unit always beside.

export type Language = "zh" | "en";

export interface Shown {
  text: string;
  unit: string;
}

export const MISSING = "—";

/** Fen from which money is shown in 万元 (in English: thousand yuan). */
const LARGE_MONEY_FEN = 10_000_00;

const UNITS_EN: Record<string, string> = {
  人: "persons",
  户: "homes",
  件: "cases",
  元: "yuan",
  万元: "10k yuan",
  亿元: "100m yuan",
  "人/万人": "per 10k",
  "元/人": "yuan/person",
  "元/月": "yuan/month",
  "%": "%",
};

export function unitText(unit: string, language: Language): string {
  return language === "en" ? (UNITS_EN[unit] ?? unit) : unit;
}

const grouped = (digits: number): Intl.NumberFormat =>
  new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const whole = grouped(0);
const tenth = grouped(1);
const hundredth = grouped(2);

export function integer(value: number | null): string {
  return value === null ? MISSING : whole.format(value);
}

/** Money from fen: yuan when small, 万元 from ten thousand yuan, 亿元 from a hundred million. */
export function money(fen: number | null, language: Language): Shown {
  if (fen === null) return { text: MISSING, unit: unitText("元", language) };
  const size = Math.abs(fen);
  if (size >= 100_000_000_00) {
    return { text: hundredth.format(fen / 100_000_000_00), unit: unitText("亿元", language) };
  }
  if (size >= LARGE_MONEY_FEN) {
    const digits = size >= LARGE_MONEY_FEN * 1000 ? tenth : hundredth;
    return { text: digits.format(fen / LARGE_MONEY_FEN), unit: unitText("万元", language) };
  }
  const digits = fen % 100 === 0 ? whole : hundredth;
  return { text: digits.format(fen / 100), unit: unitText("元", language) };
}

/** A measure's value with its unit: `kind` is the column type the server gave. */
export function measured(
  value: number | null,
  kind: string,
  unit: string,
  language: Language,
): Shown {
  if (kind === "money" && value !== null && unit !== "元") {
    return { text: hundredth.format(value / 100), unit: unitText(unit, language) };
  }
  if (kind === "money") return money(value, language);
  if (value === null) return { text: MISSING, unit: unitText(unit, language) };
  const text = kind === "float" ? hundredth.format(value) : whole.format(value);
  return { text, unit: unitText(unit, language) };
}

/** Plain digits for a file: no separators; money in yuan with two decimals. */
export function plain(value: number | null, kind: string): string {
  if (value === null) return "";
  if (kind === "money") return (value / 100).toFixed(2);
  return kind === "float" ? value.toFixed(4) : String(value);
}

/** A change in per cent with its sign: `+1.2`, `−0.4`, `0.0`. */
export function signed(change: number): string {
  const text = Math.abs(change).toFixed(1);
  if (text === "0.0") return text;
  return (change > 0 ? "+" : "\u2212") + text;
}

/** `2026-10-31` as it is written in the language. */
export function day(iso: string, language: Language): string {
  const [year, month, date] = iso.split("-").map(Number);
  if (!year || !month || !date) return iso;
  return language === "zh" ? `${year}年${month}月${date}日` : iso;
}
