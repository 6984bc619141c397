// Classes of a choropleth. Zero and "no data" are looks of their own and never in a class.

export interface Class {
  /** Least and greatest value that fall into it. */
  from: number;
  to: number;
  n: number;
}

/** Warm colours from light to dark, told apart by lightness alone; the page around them is blue. */
const RAMP = ["#fdebc8", "#fac583", "#ef9252", "#d2552c", "#8f2416"];

/**
 * Quantile classes of the values that are neither zero nor missing. Equal values share a class,
 * so there may be fewer than `count`; if all are equal there is one.
 */
export function quantileClasses(values: readonly (number | null)[], count = 5): Class[] {
  const sorted = values.filter((v): v is number => v !== null && v !== 0).sort((a, b) => a - b);
  const classes: Class[] = [];
  let start = 0;
  for (let k = 1; k <= count && start < sorted.length; k += 1) {
    let end = Math.max(start + 1, Math.round((sorted.length * k) / count));
    while (end < sorted.length && sorted[end] === sorted[end - 1]) end += 1;
    const from = sorted[start];
    const to = sorted[end - 1];
    if (from === undefined || to === undefined) break;
    classes.push({ from, to, n: end - start });
    start = end;
  }
  return classes;
}

/** The class a value is in, or -1. */
export function classIndex(classes: readonly Class[], value: number): number {
  return classes.findIndex((c) => value >= c.from && value <= c.to);
}

/** The colour of class `index` of `count`: few classes still span the ramp. */
export function classColor(index: number, count: number): string {
  const last = RAMP.length - 1;
  const step = count <= 1 ? last - 1 : Math.round((index * last) / (count - 1));
  return RAMP[Math.min(last, Math.max(0, step))] ?? RAMP[0]!;
}

/** White text on the dark colours, dark text on the light ones. */
export function inkOn(color: string): string {
  return color === RAMP[3] || color === RAMP[4] ? "#ffffff" : "#10243f";
}

export const ZERO_COLOR = "#eef3f9";
export const NO_DATA_COLOR = "#e3e6ea";
export const NO_DATA_LINE = "#8b95a3";

export type Look =
  | { state: "no_data" }
  | { state: "zero"; color: string; ink: string }
  | { state: "class"; color: string; ink: string };

export function lookOf(classes: readonly Class[], value: number | null): Look {
  if (value === null) return { state: "no_data" };
  const index = classIndex(classes, value);
  if (value === 0 || index < 0) return { state: "zero", color: ZERO_COLOR, ink: inkOn(ZERO_COLOR) };
  const color = classColor(index, classes.length);
  return { state: "class", color, ink: inkOn(color) };
}
