// The columns of the table and the headline figures: what they are called and how they are shown.

import type { MessageKey } from "../locales/zh";
import type { Field } from "./screen";

export type FieldKind = "persons" | "homes" | "money";

export interface FieldText {
  field: Field;
  kind: FieldKind;
  label: MessageKey;
  definition: MessageKey;
  /** A second figure beside the first: households beside persons, or the reverse. */
  beside?: Field;
  /** It has no card of its own: it stands beside another. */
  tableOnly?: boolean;
}

/** In the order in which they stand. */
export const FIELD_TEXTS: readonly FieldText[] = [
  {
    field: "low", kind: "persons", label: "low", definition: "defLow", beside: "low_homes",
  },
  {
    field: "persons", kind: "persons", label: "persons", definition: "defPersons",
    beside: "homes",
  },
  {
    field: "homes", kind: "homes", label: "homes", definition: "defHomes", tableOnly: true,
  },
  {
    field: "dibao_urban", kind: "persons", label: "dibaoUrban", definition: "defDibaoUrban",
    beside: "dibao_urban_homes",
  },
  {
    field: "dibao_rural", kind: "persons", label: "dibaoRural", definition: "defDibaoRural",
    beside: "dibao_rural_homes",
  },
  { field: "tekun", kind: "persons", label: "tekun", definition: "defTekun" },
  { field: "edge", kind: "persons", label: "edge", definition: "defEdge", beside: "edge_homes" },
  {
    field: "rigid", kind: "persons", label: "rigid", definition: "defRigid", beside: "rigid_homes",
  },
  { field: "relapse", kind: "homes", label: "relapse", definition: "defRelapse" },
  { field: "entered", kind: "persons", label: "entered", definition: "defEntered" },
  { field: "left", kind: "persons", label: "left", definition: "defLeft" },
  { field: "paid", kind: "money", label: "paid", definition: "defPaid" },
  { field: "paid_year", kind: "money", label: "paidYear", definition: "defPaidYear" },
];
