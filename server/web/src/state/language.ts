// The language of the interface: Chinese first, English on request; kept in the address (`lang=en`).

import { computed, ref } from "vue";
import type { Language } from "../lib/format";
import { en } from "../locales/en";
import { zh, type MessageKey, type Messages } from "../locales/zh";

const MESSAGES: Record<Language, Messages> = { zh, en };

const asked = new URLSearchParams(window.location.search).get("lang");
export const language = ref<Language>(asked === "en" ? "en" : "zh");

export const isEnglish = computed(() => language.value === "en");

/** The text of a key, with `{name}` replaced by the value of that name. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return MESSAGES[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? String(values[name]) : whole,
  );
}
