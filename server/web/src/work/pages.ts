// Which pages stand in whose navigation. The program decides what an account may do; this only
// leaves out what would be empty for them.

import type { Role } from "../lib/case-wire";
import type { Place } from "./route";
import type { WorkKey } from "./text";

export interface PageEntry {
  place: Place;
  label: WorkKey;
  /** On a phone, where there is no room for all: stands behind "more". */
  rare?: boolean;
}

const INBOX: PageEntry = { place: { page: "inbox" }, label: "navInbox" };
const REPORT: PageEntry = { place: { page: "report" }, label: "navReport" };
const SURVEYS: PageEntry = { place: { page: "surveys" }, label: "navSurveys" };
const HOUSEHOLDS: PageEntry = { place: { page: "households" }, label: "navHouseholds" };
const PAYMENTS: PageEntry = { place: { page: "payments" }, label: "navPayments" };
const RULES: PageEntry = { place: { page: "rules" }, label: "navRules", rare: true };
const TRANSFERS: PageEntry = { place: { page: "transfers" }, label: "navTransfers" };
const ACCOUNTS: PageEntry = { place: { page: "accounts" }, label: "navAccounts" };
const JOURNAL: PageEntry = { place: { page: "journal" }, label: "navJournal" };

/** The pages of a role, the one to begin with first. */
export function pagesOf(role: Role): PageEntry[] {
  switch (role) {
    case "village":
      return [INBOX, REPORT, SURVEYS, HOUSEHOLDS];
    case "township":
      return [INBOX, SURVEYS, HOUSEHOLDS, PAYMENTS, RULES];
    case "county":
      return [INBOX, HOUSEHOLDS, PAYMENTS, RULES];
    case "city":
    case "province":
      return [INBOX, PAYMENTS, RULES];
    case "department":
      return [TRANSFERS];
    case "system_admin":
    case "security_admin":
      return [ACCOUNTS];
    case "audit_admin":
      return [JOURNAL];
    case "citizen":
      return [];
  }
}

/** Whether a role has the leader's screen. */
export function hasScreen(role: Role): boolean {
  return role === "county" || role === "city" || role === "province";
}

/** Whether a role may look at the households of its region. */
export function seesHouseholds(role: Role): boolean {
  return role === "village" || role === "township" || role === "county" || role === "city";
}

/** Whether a role may see a masked value for a reason, and what is attached. */
export function seesPapers(role: Role): boolean {
  return role === "village" || role === "township" || role === "county";
}

/** Whether cases are a role's business: it hears of them as they move. */
export function hearsCases(role: Role): boolean {
  return !["system_admin", "security_admin", "audit_admin", "citizen"].includes(role);
}
