// Order of areas by a value. Equal values share a rank; areas without data have none.

export interface Valued {
  code: string;
  value: number | null;
}

/** Rank of each area that has data: 1 is the greatest, equal values share (1, 2, 2, 4). */
export function ranks(rows: readonly Valued[]): Map<string, number> {
  const known = rows.filter((row) => row.value !== null);
  const sorted = [...known].sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const result = new Map<string, number>();
  let rank = 0;
  let previous: number | null = null;
  sorted.forEach((row, index) => {
    if (row.value !== previous) rank = index + 1;
    previous = row.value;
    result.set(row.code, rank);
  });
  return result;
}

/** The first or the last areas by value; ties stay in the order of their codes. */
export function ranking<T extends Valued>(
  rows: readonly T[],
  end: "top" | "bottom",
  count: number,
): T[] {
  const sign = end === "top" ? -1 : 1;
  return rows
    .filter((row) => row.value !== null)
    .sort((a, b) => sign * ((a.value ?? 0) - (b.value ?? 0)) || a.code.localeCompare(b.code))
    .slice(0, count);
}

export type Direction = "asc" | "desc";

/** Sorts by a key that may be missing: missing ones are last in either direction. */
export function sortBy<T>(
  rows: readonly T[],
  key: (row: T) => number | string | null,
  direction: Direction,
): T[] {
  const sign = direction === "asc" ? 1 : -1;
  return [...rows].sort((a, b) => {
    const left = key(a);
    const right = key(b);
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    if (typeof left === "string" || typeof right === "string") {
      return sign * String(left).localeCompare(String(right), "zh-CN");
    }
    return sign * (left - right);
  });
}
