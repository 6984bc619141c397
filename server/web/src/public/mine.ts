// What the platform has about the citizen who is signed in, and their household.

import { ref } from "vue";
import type { Answers, CaseHead } from "../lib/case-wire";
import { account, get, toldOf, type Told } from "../lib/session";

/** A spell of aid, as the registry has it. */
export interface MyAid {
  kind: string;
  /** Whose it is. */
  member?: string | null;
  start?: string | null;
  end?: string | null;
  /** Fen. */
  amount?: number | null;
}

export interface MyAuthorisation extends CaseHead {
  scope: string[] | null;
  valid_until: string | null;
  valid: boolean;
}

export interface Look {
  at: string;
  role: string;
  action: string;
  object: string;
  reason?: string | null;
}

export interface MyHome {
  key: string;
  region: string;
  region_name: string;
  members: number;
  values: Record<string, unknown>;
}

export interface Mine {
  name: string;
  id_number: string | null;
  person: Record<string, unknown> | null;
  household: MyHome | null;
  /** The household as answers of a form, to begin with. */
  answers: Answers | null;
  aid: MyAid[];
  cases: CaseHead[];
  authorisations: MyAuthorisation[];
  looked: Look[];
}

export const mine = ref<Mine | null>(null);
export const mineProblem = ref<Told | null>(null);

export async function loadMine(): Promise<void> {
  if (account.value?.role !== "citizen") return;
  try {
    mine.value = await get<Mine>("/mine");
    mineProblem.value = null;
  } catch (cause) {
    mineProblem.value = toldOf(cause);
  }
}
