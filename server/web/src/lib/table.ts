// The table behind the map: its columns, its rows in order, its total, and the same as a file.

import { FIELD_TEXTS } from "./fields";
import { toCsv } from "./csv";
import type { Language } from "./format";
import { sortBy, type Direction } from "./ranking";
import { moneyScale, scaleFor, type Scale } from "./scale";
import type { AreaRow, Figures } from "./screen";
import type { MessageKey } from "../locales/zh";

export interface TableColumn {
  id: string;
  label: string;
  scale: Scale;
  of(row: Pick<AreaRow, "figures" | "value">): number | null;
}

export interface Sorting {
  column: string;
  direction: Direction;
}

type Translate = (key: MessageKey) => string;

export interface Chosen {
  id: string;
  label: string;
  scale: Scale;
}

/** The chosen measure first, then the main figures; a figure that is the measure is not repeated. */
export function tableColumns(chosen: Chosen | null, t: Translate, language: Language): TableColumn[] {
  const columns: TableColumn[] = [];
  if (chosen) {
    columns.push({ ...chosen, id: `measure-${chosen.id}`, of: (row) => row.value });
  }
  for (const { field, kind, label } of FIELD_TEXTS) {
    if (chosen && t(label) === chosen.label) continue;
    const unit = kind === "homes" ? "户" : "人";
    const scale =
      kind === "money" ? moneyScale("万元", language) : scaleFor("int", unit, [], language);
    columns.push({ id: field, label: t(label), scale, of: ({ figures }) => figures[field] });
  }
  return columns;
}

/** Rows in the asked order; by `name` it is the order of the codes, as official tables have it. */
export function sortedRows(
  rows: readonly AreaRow[],
  columns: readonly TableColumn[],
  { column, direction }: Sorting,
): AreaRow[] {
  const found = columns.find(({ id }) => id === column);
  return sortBy(rows, found ? found.of : ({ code }) => code, direction);
}

export interface TableTotal {
  figures: Figures;
  value: number | null;
}

/** The table as shown: same columns, same order, same units; codes are added before the names. */
export function tableCsv(
  columns: readonly TableColumn[],
  rows: readonly (AreaRow & { shown: string })[],
  total: TableTotal,
  words: { code: string; area: string; total: string },
): string {
  const head = [words.code, words.area, ...columns.map((c) => `${c.label}(${c.scale.unit})`)];
  const body = rows.map((row) => [
    row.code, row.shown, ...columns.map((c) => c.scale.plain(c.of(row))),
  ]);
  const foot = ["", words.total, ...columns.map((c) => c.scale.plain(c.of(total)))];
  return toCsv([head, ...body, foot]);
}
