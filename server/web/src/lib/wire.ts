// The shapes the server speaks (JSON, columnar answers, problems as RFC 9457 has them).

export type ColumnType =
  | "code" | "path" | "band" | "int" | "money" | "float" | "date" | "month" | "text" | "flag";

/** One column of an answer. Money is whole fen; an integer beyond 2^53 arrives as a string. */
export interface Column {
  name: string;
  type: ColumnType;
  role: "group" | "measure";
  unit: string | null;
  values: (number | string | null)[];
  labels?: (string | null)[];
}

export interface Answer {
  columns: Column[];
  /** Per row: 0 an ordinary group, otherwise how many trailing group columns are totalled. */
  levels?: number[];
  rows: number;
  total_rows: number;
  truncated: boolean;
  limit: number | null;
  matched: number;
}

export interface Problem {
  type?: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  hint?: string | null;
}

export interface BatchQuery {
  id: string;
  q: string;
}

export type BatchResult = ({ id: string } & Answer) | { id: string; problem: Problem };

export interface BatchAnswer {
  data_version: string;
  /** The day the data speak of; a registry may have none, and then no screen. */
  as_of: string | null;
  results: BatchResult[];
}

/** A measure of the catalogue: what the map can show. */
export interface MeasureEntry {
  id: string;
  label: string;
  label_en: string;
  unit: string;
  kind: ColumnType;
  /** The table it counts or adds over; persons if it is not said. */
  from?: string;
  q_measure: string;
  definition: string;
  definition_en?: string;
  /** Who keeps the rows. */
  source?: string;
}

export interface Meta {
  data_version: string;
  as_of: string | null;
  label: string;
  measures: MeasureEntry[];
}

export interface AreaRef {
  code: string;
  name: string;
  level: string;
}

export interface Area extends AreaRef {
  parent: string | null;
  ancestors: AreaRef[];
  children: AreaRef[];
}
