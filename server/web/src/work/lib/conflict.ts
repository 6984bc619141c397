// A change of what the registry knows, field by field: what it was when the change was begun, what
// it is now, what is asked for. Where the registry moved meanwhile, somebody must choose.

export interface ChangeRow {
  /** `members[1].monthly_income` */
  path: string;
  base: unknown;
  current: unknown;
  proposed: unknown;
  /** The registry moved since the change was begun, and not to what is asked for. */
  conflict: boolean;
}

/** The leaves of an answer by path; an empty list or block is a leaf of its own and left out. */
export function leaves(value: unknown, at = ""): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const add = (inner: unknown, path: string): void => {
    for (const [name, each] of leaves(inner, path)) found.set(name, each);
  };
  if (Array.isArray(value)) {
    if (value.every((each) => typeof each !== "object" || each === null)) {
      if (value.length > 0) found.set(at, value);
    } else {
      value.forEach((each, index) => add(each, `${at}[${index}]`));
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [name, each] of Object.entries(value)) add(each, at === "" ? name : `${at}.${name}`);
  } else if (value !== undefined && value !== null && value !== "") {
    found.set(at, value);
  }
  return found;
}

export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((each, index) => same(each, b[index]));
  }
  return (a ?? null) === (b ?? null);
}

/** A conflict as the program found it, on values that are not masked. */
export interface FoundConflict {
  path: string;
  base: unknown;
  declared: unknown;
  registered: unknown;
}

/** What is chosen of a conflict. */
export type Choice = "declared" | "registered";

const idOf = (member: unknown): unknown =>
  typeof member === "object" && member !== null ? (member as Record<string, unknown>)["id_number"] : null;

/** Answers with the members in the order of `like`: a member is the same by the ID number. */
function inOrder(answers: unknown, like: unknown): unknown {
  if (typeof answers !== "object" || answers === null) return answers;
  const mine = (answers as Record<string, unknown>)["members"];
  const theirs = (like as Record<string, unknown> | null)?.["members"];
  if (!Array.isArray(mine) || !Array.isArray(theirs)) return answers;
  const rest = [...(mine as unknown[])];
  const take = (id: unknown): unknown => {
    const at = id ? rest.findIndex((member) => idOf(member) === id) : 0;
    return at < 0 ? {} : (rest.splice(at, 1)[0] ?? {});
  };
  const ordered = theirs.map((member) => take(idOf(member)));
  return { ...answers, members: [...ordered, ...rest] };
}

/** The rows with what the program itself found to be in conflict, which it alone can tell. */
export function withFound(rows: readonly ChangeRow[], found: readonly FoundConflict[]): ChangeRow[] {
  const byPath = new Map(found.map((each) => [each.path, each]));
  const marked = rows.map((row) => ({ ...row, conflict: byPath.has(row.path) }));
  const known = new Set(rows.map((row) => row.path));
  const missing = found
    .filter((each) => !known.has(each.path))
    .map(({ path, base, declared, registered }) => ({
      path, base, current: registered, proposed: declared, conflict: true,
    }));
  return [...marked, ...missing];
}

/**
 * The rows in which anything differs, in the order of the answers. A field that the change does
 * not speak of is not a change: it is shown only if the registry moved.
 */
export function changeRows(base: unknown, current: unknown, proposed: unknown): ChangeRow[] {
  const before = leaves(inOrder(base, proposed));
  const now = leaves(inOrder(current, proposed));
  const asked = leaves(proposed);
  const paths = new Set([...asked.keys(), ...before.keys(), ...now.keys()]);
  const members = (proposed as Record<string, unknown> | null)?.["members"];
  const isGone = (path: string): boolean => {
    const place = /^members\[(\d+)\]/.exec(path);
    return place !== null && Array.isArray(members) && Number(place[1]) >= members.length;
  };
  const rows: ChangeRow[] = [];
  for (const path of paths) {
    const kept = isGone(path) ? null : (before.get(path) ?? null);
    const row = {
      path,
      base: before.get(path) ?? null,
      current: now.get(path) ?? null,
      proposed: asked.has(path) ? asked.get(path) : kept,
    };
    const moved = !same(row.base, row.current);
    const changed = !same(row.base, row.proposed);
    if (!moved && !changed) continue;
    rows.push({ ...row, conflict: moved && changed && !same(row.current, row.proposed) });
  }
  return rows;
}

/** The paths over which somebody must decide. */
export function conflictPaths(rows: readonly ChangeRow[]): string[] {
  return rows.filter((row) => row.conflict).map((row) => row.path);
}
