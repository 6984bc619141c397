// Values that a sheet was filled with before a visit, and why the visitors changed them.

import { leaves, same } from "./conflict";

/** Blocks that the visitors themselves fill in: there is nothing filled in before. */
const OWN = ["visit", "attempts"];

/** Paths of values that were filled in before, and that differ now from what was last saved. */
export function changedPaths(base: unknown, saved: unknown, answers: unknown): string[] {
  const filled = leaves(base);
  const before = leaves(saved);
  const now = leaves(answers);
  return [...filled.keys()].filter((path) => {
    if (OWN.some((block) => path.startsWith(`${block}.`) || path.startsWith(`${block}[`))) return false;
    const fresh = now.get(path);
    return !same(before.get(path), fresh) && !same(filled.get(path), fresh);
  });
}

/** The changed paths for which no reason was given. */
export function unreasoned(paths: readonly string[], reasons: Record<string, string>): string[] {
  return paths.filter((path) => (reasons[path] ?? "").trim() === "");
}
