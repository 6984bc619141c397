// The chosen measure as map, ranking and table draw it: its classes, scale, ranks and names.

import { computed } from "vue";
import { codeAt } from "../lib/area";
import { quantileClasses } from "../lib/classes";
import { ranks } from "../lib/ranking";
import { scaleFor } from "../lib/scale";
import { view } from "./dashboard";
import { isEnglish, language, t } from "./language";

export const measureLabel = computed(() => {
  const measure = view.value?.measure;
  if (!measure) return t("persons");
  return isEnglish.value ? measure.label_en : measure.label;
});

export const values = computed(() => (view.value?.rows ?? []).map((row) => row.value));

export const classes = computed(() => quantileClasses(values.value));

export const scale = computed(() =>
  scaleFor(
    view.value?.screen.measureKind ?? "int",
    view.value?.measure?.unit ?? "人",
    values.value,
    language.value,
  ),
);

export const rankByCode = computed(() => ranks(view.value?.rows ?? []));

/** The city of a county shown on the province's screen, where names such as 城区 occur twice. */
export function cityOf(code: string): string {
  const shown = view.value;
  if (!shown || shown.level !== "province" || shown.listed !== "county") return "";
  return shown.cityNames.get(codeAt(code, "city")) ?? "";
}

/** Villages have no screen of their own. */
export const canOpen = computed(() => view.value?.listed !== "village");
