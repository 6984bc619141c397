// Begins a case with what is known already: the registry's record, or what was just assessed.

import type { Answers, Case } from "../lib/case-wire";
import { fitting, readForm } from "../forms/form";
import { withValue } from "../forms/paths";
import { fetchForm, openCase } from "../lib/session";
import { carried } from "./assess";
import type { Mine } from "./mine";

const VILLAGE_DIGITS = 12;

/** The village of the citizen's household; empty if the platform does not know it. */
export function villageOf(mine: Mine | null): string {
  const region = mine?.household?.region;
  return typeof region === "string" && region.length === VILLAGE_DIGITS ? region : "";
}

/** What a form can begin with: the registered household first, else what was just assessed. */
export function startOf(mine: Mine | null): Answers {
  return mine?.answers ?? carried.value ?? {};
}

export interface Begin {
  kind: string;
  region: string;
  mine: Mine | null;
  input: Record<string, unknown>;
  commandId: string;
}

/** Opens a draft; its answers are those that its form asks for. */
export async function begin(what: Begin): Promise<Case> {
  const form = readForm(await fetchForm(what.kind));
  let answers = fitting(form, startOf(what.mine));
  if (form.parts.some((part) => part.block === "family")) {
    answers = withValue(answers, "family.region", what.region || undefined);
  }
  const input = { ...what.input, answers };
  const opening = { kind: what.kind, command_id: what.commandId, input };
  return openCase(what.region ? { ...opening, region: what.region } : opening);
}
