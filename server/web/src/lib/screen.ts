// From the answers of a batch to the figures, rows and values of one screen.

import type { Answer, BatchAnswer, Column, Problem } from "./wire";
import { RequestFailed } from "./api";

/** Columns of the table, in their order. `null` in a row means: no such rows there. */
export const FIELDS = [
  "low", "low_homes", "persons", "homes",
  "dibao_urban", "dibao_urban_homes", "dibao_rural", "dibao_rural_homes",
  "tekun", "edge", "edge_homes", "rigid", "rigid_homes", "relapse",
  "entered", "left", "paid", "paid_year",
] as const;
export type Field = (typeof FIELDS)[number];

export type Figures = Record<Field, number | null>;

export interface AreaRow {
  code: string;
  name: string;
  figures: Figures;
  /** The chosen measure; `null` where there is no data. */
  value: number | null;
}

export interface MonthPoint {
  month: string;
  paid: number | null;
  people: number | null;
}

export interface Screen {
  version: string;
  asOf: string;
  rows: AreaRow[];
  total: Figures;
  measureTotal: number | null;
  measureKind: string;
  months: MonthPoint[];
  /** Questions that could not be answered, by their id. The rest of the screen still stands. */
  problems: Map<string, Problem>;
}

/** A count that must be 0, not unknown, wherever the area has any rows at all. */
const COUNTED: ReadonlySet<Field> = new Set<Field>(FIELDS.filter((f) => !f.startsWith("paid")));

function emptyFigures(): Figures {
  return Object.fromEntries(FIELDS.map((field) => [field, null])) as Figures;
}

export function toNumber(value: number | string | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  const number = typeof value === "number" ? value : Number(value);
  return Number.isFinite(number) ? number : null;
}

function measureColumn(answer: Answer, name: string): Column | undefined {
  return answer.columns.find((column) => column.role === "measure" && column.name === name);
}

/** Calls `visit` with each ordinary group (code, label, row), and with `null` for the grand total. */
function eachRow(
  answer: Answer,
  visit: (code: string | null, label: string, row: number) => void,
): void {
  const group = answer.columns.find((column) => column.role === "group");
  for (let row = 0; row < answer.rows; row += 1) {
    const code = group?.values[row] ?? null;
    const totalled = (answer.levels?.[row] ?? 0) > 0;
    if (totalled || !group) visit(null, "", row);
    else if (code !== null) visit(String(code), group.labels?.[row] ?? String(code), row);
  }
}

/** Which field of a row takes which measure of which question. */
const SOURCES: Record<string, Partial<Record<string, Field>>> = {
  persons: {
    low: "low", persons: "persons", dibao_urban: "dibao_urban", dibao_rural: "dibao_rural", tekun: "tekun",
    edge: "edge", rigid: "rigid", entered: "entered", left: "left",
  },
  homes: {
    low: "low_homes", homes: "homes",
    dibao_urban: "dibao_urban_homes", dibao_rural: "dibao_rural_homes", edge: "edge_homes", rigid: "rigid_homes", relapse: "relapse",
  },
  paid: { paid: "paid" },
  paid_year: { paid_year: "paid_year" },
};

function readMonths(answer: Answer): MonthPoint[] {
  const month = answer.columns.find((column) => column.role === "group");
  const paid = measureColumn(answer, "paid");
  const people = measureColumn(answer, "people");
  const points: MonthPoint[] = [];
  for (let row = 0; row < answer.rows; row += 1) {
    points.push({
      month: String(month?.values[row] ?? ""),
      paid: toNumber(paid?.values[row]),
      people: toNumber(people?.values[row]),
    });
  }
  return points.sort((a, b) => a.month.localeCompare(b.month));
}

/** Reads a batch. A question the whole screen rests on (`persons`) must have been answered. */
export function readScreen(batch: BatchAnswer): Screen {
  const rows = new Map<string, AreaRow>();
  const screen: Screen = {
    version: batch.data_version,
    asOf: batch.as_of ?? "",
    rows: [],
    total: emptyFigures(),
    measureTotal: null,
    measureKind: "int",
    months: [],
    problems: new Map(),
  };
  const rowOf = (code: string, label: string): AreaRow => {
    let row = rows.get(code);
    if (!row) {
      row = { code, name: label, figures: emptyFigures(), value: null };
      rows.set(code, row);
    }
    return row;
  };
  for (const result of batch.results) {
    if ("problem" in result) {
      if (result.id === "persons") throw new RequestFailed(result.problem);
      screen.problems.set(result.id, result.problem);
    } else if (result.id === "months") {
      screen.months = readMonths(result);
    } else if (result.id === "measure") {
      const column = measureColumn(result, "value");
      screen.measureKind = column?.type ?? "int";
      eachRow(result, (code, label, row) => {
        const value = toNumber(column?.values[row]);
        if (code === null) screen.measureTotal = value;
        else rowOf(code, label).value = value;
      });
    } else {
      const wanted = Object.entries(SOURCES[result.id] ?? {});
      const columns = wanted.map(([name, field]) => [measureColumn(result, name), field] as const);
      eachRow(result, (code, label, row) => {
        const figures = code === null ? screen.total : rowOf(code, label).figures;
        for (const [column, field] of columns) {
          if (column && field) figures[field] = toNumber(column.values[row]);
        }
      });
    }
  }
  if (!batch.results.some(({ id }) => id === "measure")) {
    // A catalogue without measures: the map then shows how many persons are registered.
    for (const row of rows.values()) row.value = row.figures.persons;
    screen.measureTotal = screen.total.persons;
  }
  screen.rows = [...rows.values()].sort((a, b) => a.code.localeCompare(b.code));
  if (screen.rows.length === 0) fillZeros(screen.total);
  return screen;
}

/** Money of a month against that of the month before, in per cent; `null` where either is missing. */
export function paidChange(months: readonly MonthPoint[], month: string): number | null {
  const at = months.findIndex((point) => point.month === month);
  const [now, before] = [months[at]?.paid ?? null, months[at - 1]?.paid ?? null];
  return now === null || !before ? null : (now / before - 1) * 100;
}

/** An area without a single row holds nobody: its counts are 0, its money stays unknown. */
function fillZeros(figures: Figures): void {
  for (const field of COUNTED) figures[field] ??= 0;
}
