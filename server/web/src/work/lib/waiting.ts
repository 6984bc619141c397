// In which states a case waits for whom: what stands under "waiting for me". The program decides
// what may be done; this only sorts a list, and yields to the program where it says so itself.

import type { CaseHead, Role } from "../../lib/case-wire";

type Waiting = Record<string, Record<string, readonly Role[]>>;

const FIELD: readonly Role[] = ["village", "township"];
const OFFICE: readonly Role[] = ["township", "county"];

const WAITING: Waiting = {
  declaration: { submitted: OFFICE },
  change: { submitted: OFFICE },
  report: {
    draft: ["village"], returned: ["village"], submitted: ["township"], county_review: ["county"],
  },
  application: {
    submitted: ["township"], accepted: OFFICE, checked: FIELD, surveyed: ["township"],
    reviewed: OFFICE, posted: OFFICE, confirmed: ["county"],
  },
  warning: {
    assessed: OFFICE, dispatched: FIELD, signed: FIELD, investigating: FIELD, verified: OFFICE,
    handling: ["township", "county", "department"], feedback: ["township"], review: ["county"],
  },
  survey: { planned: FIELD, drafting: FIELD },
  life_check: { visit_due: FIELD },
};

/** Whether the next step of a case is one of this role's. */
export function waitsFor(head: CaseHead & { actions?: unknown[] }, role: Role): boolean {
  if (head.actions) return head.actions.length > 0;
  return WAITING[head.kind]?.[head.state]?.includes(role) ?? false;
}

const RANK: Record<string, number> = { red: 0, orange: 1, yellow: 2 };

/** Overdue first, then the level of a warning, then what is due first, then the newest. */
export function urgency(a: CaseHead, b: CaseHead): number {
  if (a.overdue !== b.overdue) return a.overdue ? -1 : 1;
  const level = (RANK[a.level ?? ""] ?? 3) - (RANK[b.level ?? ""] ?? 3);
  if (level !== 0) return level;
  const due = (a.due_on ?? "9999").localeCompare(b.due_on ?? "9999");
  return due !== 0 ? due : b.opened_at.localeCompare(a.opened_at);
}
