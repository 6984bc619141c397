// A household of the registry as the program shows it to staff: masked, columns by name.

import { factOf, factsOf, isFact, numberOf, saidOf, textOf, type Fact } from "./facts";
import type { Said } from "../../lib/case-wire";

export interface HouseholdFound {
  key: string;
  region: string;
  region_name?: string;
  head: string;
}

export interface PersonRecord {
  key: string;
  values: Fact;
  aid: Fact[];
}

export interface HouseholdRecord {
  region: string;
  regionName: string;
  household: Fact;
  persons: PersonRecord[];
}

/** The record of a household; what is missing is empty. */
export function readRecord(raw: unknown): HouseholdRecord {
  const from = isFact(raw) ? raw : {};
  return {
    region: textOf(from, "region") ?? "",
    regionName: textOf(from, "region_name") ?? "",
    household: factOf(from, "household") ?? {},
    persons: factsOf(from, "persons").map((person) => ({
      key: textOf(person, "key") ?? "",
      values: factOf(person, "values") ?? {},
      aid: factsOf(person, "aid"),
    })),
  };
}

/** Everybody's aid with whose it is; what runs on a day before what is over. */
export function aidOf(record: HouseholdRecord, day: string): Fact[] {
  const all = record.persons.flatMap((person) =>
    person.aid.map((aid): Fact => ({ ...aid, person: textOf(person.values, "name") })),
  );
  const runs = (each: Fact): boolean => (textOf(each, "end") ?? "9999") >= day;
  return all.sort((a, b) => {
    const order = Number(runs(b)) - Number(runs(a));
    return order !== 0 ? order : (textOf(b, "start") ?? "").localeCompare(textOf(a, "start") ?? "");
  });
}

/** One thing that happened to the household. */
export interface Moment {
  /** A day, or a day and a time. */
  at: string;
  /** `case`, `aid_start`, `aid_end`, or another word of the program. */
  what: string;
  /** Of a case: its number, kind, what it is known by, the step and the state after it. */
  case: string | null;
  caseKind: string | null;
  title: Said | string | null;
  command: string | null;
  state: string | null;
  role: string | null;
  level: string | null;
  /** Of aid: its kind, a month's amount in fen, whose. */
  aid: string | null;
  amount: number | null;
  member: string | null;
}

export interface Stretch {
  /** `2026-10` */
  month: string;
  moments: Moment[];
}

function momentOf(raw: Fact): Moment | null {
  const at = textOf(raw, "at");
  if (!at || !/^\d{4}-\d{2}/.test(at)) return null;
  return {
    at,
    what: textOf(raw, "what") ?? "case",
    case: textOf(raw, "case"),
    caseKind: textOf(raw, "case_kind"),
    title: saidOf(raw, "title"),
    command: textOf(raw, "command"),
    state: textOf(raw, "state"),
    role: textOf(raw, "role"),
    level: textOf(raw, "level"),
    aid: textOf(raw, "kind"),
    amount: numberOf(raw, "amount"),
    member: textOf(raw, "member"),
  };
}

/** The chain as the program gives it, month by month with the newest first. */
export function stretches(chain: unknown): Stretch[] {
  const raw = factsOf(isFact(chain) ? chain : null, "timeline");
  // The platform grades a warning in the same moment as it raises it: that is no step of anybody.
  const moments = raw.map(momentOf).filter((each) => each !== null && each.command !== "assess") as Moment[];
  // Of one moment the later step stands first.
  moments.reverse();
  moments.sort((a, b) => b.at.localeCompare(a.at));
  const months: Stretch[] = [];
  for (const moment of moments) {
    const month = moment.at.slice(0, 7);
    const last = months.at(-1);
    if (last?.month === month) last.moments.push(moment);
    else months.push({ month, moments: [moment] });
  }
  return months;
}
