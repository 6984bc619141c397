// What all staff pages share: the catalogue, short messages, and what the program reports live.

import { computed, ref, shallowRef } from "vue";
import type { Catalogue, Listed } from "../lib/case-wire";
import { listed, said } from "../lib/case-wire";
import { account, catalogue as askCatalogue } from "../lib/session";
import { language } from "../state/language";
import { REGISTRY_LISTS } from "./lib/registry-lists";
import { wordOr } from "./text";

export const catalogue = shallowRef<Catalogue | null>(null);

export async function loadCatalogue(): Promise<void> {
  catalogue.value = await askCatalogue();
}

export function kindText(kind: string): string {
  const entry = catalogue.value?.kinds[kind];
  return entry ? said(entry.label, language.value) : kind;
}

export function stateText(kind: string, state: string): string {
  const entry = catalogue.value?.kinds[kind]?.states[state];
  return entry ? said(entry, language.value) : state;
}

/** Whether a case in this state still has a step before it. */
export function isOpen(kind: string, state: string): boolean {
  return catalogue.value?.kinds[kind]?.states[state]?.open ?? true;
}

/** What a command is called on its button. */
export function commandText(kind: string, command: string): string {
  const found = catalogue.value?.kinds[kind]?.actions.find((action) => action.name === command);
  return found ? said(found.label, language.value) : wordOr(`command_${command}`, command);
}

export function listOf(name: string | null | undefined): Listed[] {
  const known = catalogue.value;
  if (!name || !known) return [];
  if (name === "aids") return known.aids ?? [];
  if (name === "departments") return known.departments ?? [];
  if (name === "results") return known.results ?? [];
  return known.lists[name] ?? REGISTRY_LISTS[name] ?? [];
}

/** What a list calls a code, in the language that is chosen. */
export function codeText(list: string, code: unknown): string {
  return listed(listOf(list), code, language.value);
}

/** What a choice of an input is called, wherever the kind's steps ask for it. */
export function optionText(kind: string, input: string, code: string | null): string {
  if (code === null) return "";
  for (const action of catalogue.value?.kinds[kind]?.actions ?? []) {
    const asked = action.input.find((each) => each.name === input);
    const found = asked?.options?.find(([each]) => each === code);
    if (found) return said({ zh: found[1], en: found[2] }, language.value);
  }
  return code;
}

/** A department's file by its department: `health.events` is of 卫健. */
export function sourceText(contract: string): string {
  const [department = contract] = contract.split(".");
  // Contracts name some departments otherwise than the list of transfers, and one is none.
  return wordOr(`source_${department}`, codeText("departments", department));
}

export const role = computed(() => account.value?.role ?? "village");

/** A short message at the foot of the page. */
export interface Message {
  id: number;
  text: string;
  tone: "good" | "bad" | "news";
  /** The case that it speaks of. */
  open?: string;
}

export const messages = ref<Message[]>([]);
let counter = 0;

const STAYS = { good: 4_000, bad: 9_000, news: 12_000 } as const;

export function tell(text: string, tone: Message["tone"] = "good", open?: string): void {
  counter += 1;
  const message: Message = open ? { id: counter, text, tone, open } : { id: counter, text, tone };
  messages.value = [...messages.value.slice(-2), message];
  window.setTimeout(() => dismiss(message.id), STAYS[tone]);
}

export function dismiss(id: number): void {
  messages.value = messages.value.filter((message) => message.id !== id);
}
