// What an application's check rests on and what it found.

import type { Case } from "../../lib/case-wire";
import { factsOf, textOf } from "./facts";

export interface Person {
  name: string;
  valid: boolean;
}

const ADULT_YEARS = 18;

function isAdult(birth: string | null, day: string): boolean {
  if (!birth) return true;
  const turned = `${Number(birth.slice(0, 4)) + ADULT_YEARS}${birth.slice(4, 10)}`;
  return turned <= day.slice(0, 10);
}

/** The adult members with whether they have authorised; none where the answers do not tell. */
export function authorisedOf(item: Case): Person[] {
  const members = factsOf(item.answers, "members");
  const relied = item.facts["authorisations"];
  const checked = Array.isArray(relied) && relied.length > 0;
  const tells = members.some((member) => textOf(member, "signed") !== null);
  if (!tells && !checked) return [];
  return members
    .filter((member) => member["counted"] !== false && isAdult(textOf(member, "birth_date"), item.opened_at))
    .map((member) => ({
      name: textOf(member, "name") ?? "",
      // A check is refused while one of them has not authorised.
      valid: checked || textOf(member, "signed") !== null,
    }));
}

export interface Finding {
  /** What was compared: a column of the registry, or another word of the program. */
  item: string;
  who: string;
  /** The department that it came from. */
  source: string;
  declared: unknown;
  found: unknown;
  differs: boolean;
  money: boolean;
  /** The list that its codes are of. */
  list: string | null;
}

const LISTS: Record<string, string> = {
  employment: "employment", school_stage: "school_stage", disability_type: "disability_type",
  disability_grade: "disability_grade", marital: "marital", aid: "aid_kind",
  relapse_kind: "relapse_kind", housing_grade: "housing_grade",
};
const MONEY = new Set(["medical12", "aid12", "income", "deposits"]);

/** The findings of the departments, item by item; those that differ first. */
export function findingsOf(item: Case): Finding[] {
  const findings = factsOf(item.facts, "checks").map((each): Finding => {
    const name = textOf(each, "item") ?? "";
    return {
      item: name,
      who: textOf(each, "member") ?? "",
      source: textOf(each, "source") ?? "",
      declared: each["declared"],
      found: each["found"],
      differs: each["agrees"] === false,
      money: MONEY.has(name),
      list: LISTS[name] ?? null,
    };
  });
  return findings.sort((a, b) => Number(b.differs) - Number(a.differs));
}
