// The address of a staff page: its path says which page, its query only the language and filters.
// Nothing personal ever stands in it.

import { ref } from "vue";
import { language } from "../state/language";

export type Place =
  | { page: "inbox" }
  | { page: "case"; id: string }
  | { page: "print"; id: string }
  | { page: "report" }
  | { page: "surveys" }
  | { page: "transfers" }
  | { page: "households" }
  | { page: "household"; key: string }
  | { page: "payments" }
  | { page: "rules" }
  | { page: "accounts" }
  | { page: "journal" };

const ROOT = "/work";
const SIMPLE = [
  "report", "surveys", "transfers", "households", "payments", "rules", "accounts", "journal",
] as const;

/** The page of an address; what is none is the inbox. */
export function parsePlace(path: string): Place {
  const [first, second, third] = path
    .slice(path.startsWith(ROOT) ? ROOT.length : 0)
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  if (first === "cases" && second) {
    return { page: third === "print" ? "print" : "case", id: second };
  }
  if (first === "households" && second) return { page: "household", key: second };
  const page = SIMPLE.find((name) => name === first);
  return page ? { page } : { page: "inbox" };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function placePath(place: Place): string {
  switch (place.page) {
    case "inbox":
      return ROOT;
    case "case":
      return `${ROOT}/cases/${encodeURIComponent(place.id)}`;
    case "print":
      return `${ROOT}/cases/${encodeURIComponent(place.id)}/print`;
    case "household":
      return `${ROOT}/households/${encodeURIComponent(place.key)}`;
    default:
      return `${ROOT}/${place.page}`;
  }
}

export const place = ref<Place>({ page: "inbox" });

export function placeAddress(wanted: Place): string {
  return placePath(wanted) + (language.value === "en" ? "?lang=en" : "");
}

export function goTo(wanted: Place): void {
  window.history.pushState(null, "", placeAddress(wanted));
  place.value = wanted;
  window.scrollTo(0, 0);
}

/** Connects the pages to the address. */
export function followAddress(): void {
  const read = (): void => {
    place.value = parsePlace(window.location.pathname);
  };
  window.addEventListener("popstate", read);
  read();
}
