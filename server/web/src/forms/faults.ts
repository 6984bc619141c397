// Faults of a form on their way to the fields that they stand beside.

import type { Fault } from "../lib/case-wire";
import { named, type Form } from "./form";

/**
 * The faults that stand: those the server told, until their answer was changed, and those that
 * were found here; of the two on one answer the server's.
 */
export function standing(told: Fault[], own: Fault[], changed: ReadonlySet<string>): Fault[] {
  const still = told.filter((fault) => !changed.has(fault.path));
  const seen = new Set(still.map((fault) => fault.path));
  return [...still, ...own.filter((fault) => !seen.has(fault.path))];
}

/** Faults whose path is no field of the form: they are said above it. */
export const homeless = (form: Form, faults: Fault[]): Fault[] =>
  faults.filter((fault) => !named(form, fault.path)?.field);

/** What was found here, as it is after an answer was changed: mended faults go, new ones wait. */
export function mended(own: Fault[], found: Fault[], path: string): Fault[] {
  const shown = new Set(own.map((fault) => fault.path));
  return found.filter((fault) => shown.has(fault.path) && fault.path !== path);
}
