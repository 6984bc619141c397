// The questions of one screen, in the statistics language. They are asked in one batch, so that
// every figure on the screen comes from the same snapshot.

import type { Level } from "./area";
import type { BatchQuery, MeasureEntry } from "./wire";

/** Low-income aid: the kinds that make a person a monitored one (temporary aid and allowances apart). */
export const LOW_INCOME =
  "dibao_urban, dibao_rural, tekun_urban, tekun_rural, dibao_edge, rigid";

const KINDS = {
  dibao_urban: "kind = dibao_urban",
  dibao_rural: "kind = dibao_rural",
  tekun: "kind in (tekun_urban, tekun_rural)",
  edge: "kind = dibao_edge",
  rigid: "kind = rigid",
} as const;

export interface Period {
  /** `2026-10` */
  month: string;
  /** First and last day of the month of `as_of`. */
  first: string;
  last: string;
  /** January of that year. */
  january: string;
  /** Eleven months earlier: the beginning of the curve. */
  start: string;
}

function monthText(year: number, month: number): string {
  return `${year}-${String(month).padStart(2, "0")}`;
}

/** The months and days that the screen of a date speaks about. */
export function periodOf(asOf: string): Period {
  const year = Number(asOf.slice(0, 4));
  const month = Number(asOf.slice(5, 7));
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const name = monthText(year, month);
  const back = year * 12 + (month - 1) - 11;
  return {
    month: name,
    first: `${name}-01`,
    last: `${name}-${String(lastDay).padStart(2, "0")}`,
    january: monthText(year, 1),
    start: monthText(Math.floor(back / 12), (back % 12) + 1),
  };
}

/** Those with any low-income aid running, each once, and those of each kind. */
function counts(): string {
  const kinds = { low: `kind in (${LOW_INCOME})`, ...KINDS };
  return Object.entries(kinds)
    .map(([name, test]) => `${name} = count(where any(aid where ${test} and running))`)
    .join(", ");
}

/** The catalogue's measure grouped by area. Its text is for the month of the data already. */
function measureText(measure: MeasureEntry, where: string, by: string): string {
  const from = measure.from ?? "person";
  return `from ${from} where ${where}${by} measure value = ${measure.q_measure} totals`;
}

export interface Scope {
  area: string;
  listed: Level;
  period: Period;
  measure: MeasureEntry | null;
}

/** All questions of a screen: the listed areas with a grand total, and the months of money. */
export function screenQuestions({ area, listed, period, measure }: Scope): BatchQuery[] {
  const where = `region within ${area}`;
  const by = ` by region.${listed}`;
  const low = `kind in (${LOW_INCOME})`;
  const during = `between ${period.first} and ${period.last}`;
  const paid = `from observation where indicator = aid_paid and ${where}`;
  const questions: BatchQuery[] = [
    {
      id: "persons",
      q:
        `from person where ${where}${by} measure persons = count(), ${counts()}, ` +
        `entered = count(where any(aid where ${low} and start ${during})), ` +
        `left = count(where any(aid where ${low} and end ${during})) totals`,
    },
    {
      id: "homes",
      q:
        `from household where ${where}${by} measure homes = count(), ${counts()}, ` +
        `relapse = count(where relapse_kind is known and (relapse_cleared is unknown ` +
        `or relapse_cleared > as_of)) totals`,
    },
    {
      id: "paid",
      q: `${paid} and month = ${period.month}${by} measure paid = sum(value) totals`,
    },
    {
      id: "paid_year",
      q:
        `${paid} and month between ${period.january} and ${period.month}${by} ` +
        `measure paid_year = sum(value) totals`,
    },
    {
      id: "months",
      q:
        `${paid} and month between ${period.start} and ${period.month} by month ` +
        `measure paid = sum(value), people = count_distinct(person)`,
    },
  ];
  if (measure) questions.push({ id: "measure", q: measureText(measure, where, by) });
  return questions;
}
