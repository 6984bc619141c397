// The three sides of an answer of a survey: declared, known to a department, seen.

import type { Form } from "../../forms/form";
import { valueAt } from "../../forms/paths";
import type { Answers, Case } from "../../lib/case-wire";
import { leaves, same } from "./conflict";
import { factsOf, textOf, type Fact } from "./facts";
import type { HouseholdRecord } from "./household";

export interface Sides {
  declared: unknown;
  department: unknown;
  seen: unknown;
}

/** An ID number, whole or masked, by what a mask leaves of it. */
const known = (number: string | null): string =>
  number ? `${number.slice(0, 4)} ${number.slice(-4)}` : "";

/** What departments know, in the shape of the answers: by the registry's column of each field. */
export function departmentAnswers(form: Form, answers: Answers, record: HouseholdRecord): Answers {
  const found: Answers = {};
  const members = factsOf(answers, "members").map((member) => {
    const id = known(textOf(member, "id_number"));
    return record.persons.find((person) => id !== "" && known(textOf(person.values, "id_number")) === id);
  });
  const people: Fact[] = members.map(() => ({}));
  for (const part of form.parts) {
    for (const field of part.fields) {
      const [table, column] = (field.column ?? "").split(".");
      // What is masked is nothing to compare.
      if (!column || field.mask) continue;
      if (table === "person" && part.block === "members") {
        members.forEach((person, at) => {
          const value = person?.values[column];
          const target = people[at];
          if (target && value !== undefined && value !== null) target[field.name] = value;
        });
      } else if (table === "household") {
        const value = record.household[column];
        if (value === undefined || value === null) continue;
        found[part.block] = { ...(found[part.block] as object | undefined), [field.name]: value };
      }
    }
  }
  if (people.length > 0) found["members"] = people;
  return found;
}

export function sidesOf(item: Case, department: Answers, path: string): Sides {
  return {
    declared: valueAt(item.facts["base"], path),
    department: valueAt(department, path),
    seen: valueAt(item.answers, path),
  };
}

export interface SideRow extends Sides {
  path: string;
  differs: boolean;
  change: { old: unknown; reason: string; by: string | null } | null;
}

const OWN = /^(visit|attempts)\b/;

/** Every value that has more than one side, those that differ first. */
export function sideRows(item: Case, department: Answers): SideRow[] {
  const paths = new Set([...leaves(item.facts["base"]).keys(), ...leaves(department).keys()]);
  const last = new Map(factsOf(item.facts, "changes").map((change) => [textOf(change, "path"), change]));
  const rows = [...paths]
    .filter((path) => !OWN.test(path))
    .map((path): SideRow => {
      const sides = sidesOf(item, department, path);
      const others = [sides.declared, sides.department].filter((each) => each !== undefined);
      const differs = others.some((each) => !same(each, sides.seen));
      return { path, ...sides, differs, change: changeOf(last.get(path)) };
    });
  return [...rows.filter((row) => row.differs), ...rows.filter((row) => !row.differs)];
}

function changeOf(change: Fact | undefined): SideRow["change"] {
  if (!change) return null;
  return {
    old: change["old"],
    reason: textOf(change, "reason") ?? "",
    by: textOf(change, "name") ?? textOf(change, "by"),
  };
}
