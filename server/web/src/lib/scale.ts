// One unit for a whole column, legend or ranking, so that its numbers can be compared at a glance.

import { MISSING, unitText, type Language } from "./format";

export interface Scale {
  unit: string;
  text(value: number | null): string;
  /** The same number without separators, for a file. */
  plain(value: number | null): string;
}

const FEN_PER: Record<string, number> = { 元: 100, 万元: 1_000_000, 亿元: 10_000_000_000 };

function fixed(unit: string, divisor: number, digits: number, language: Language): Scale {
  const format = new Intl.NumberFormat("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return {
    unit: unitText(unit, language),
    // A plain 0, so that nothing is told from what is merely rounded down.
    text: (value) => {
      if (value === null) return MISSING;
      return value === 0 ? "0" : format.format(value / divisor);
    },
    plain: (value) => (value === null ? "" : (value / divisor).toFixed(digits)),
  };
}

/** Money (fen) in one of 元, 万元, 亿元, with two decimals. */
export function moneyScale(unit: "元" | "万元" | "亿元", language: Language): Scale {
  return fixed(unit, FEN_PER[unit] ?? 100, 2, language);
}

/** The scale that suits all of `values`, whose column has this type and unit. */
export function scaleFor(
  kind: string,
  unit: string,
  values: readonly (number | null)[],
  language: Language,
): Scale {
  if (kind === "money") {
    if (unit !== "元") return fixed(unit, 100, 2, language);
    const greatest = Math.max(0, ...values.map((value) => Math.abs(value ?? 0)));
    const name = greatest >= 1e10 * 10 ? "亿元" : greatest >= 1e6 ? "万元" : "元";
    return moneyScale(name, language);
  }
  const great = values.some((value) => Math.abs(value ?? 0) >= 100);
  return fixed(unit, 1, kind !== "float" ? 0 : great ? 1 : 2, language);
}
