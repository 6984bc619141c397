// Where in the public's page one is: the address beneath `/public`. The back button works.

import { ref } from "vue";

const BASE = "/public";

export interface Place {
  /** The parts of the address beneath `/public`. */
  parts: string[];
  query: URLSearchParams;
}

export function placeOf(pathname: string, search: string): Place {
  const inner = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : "";
  const parts = inner.split("/").filter((part) => part !== "");
  return { parts: parts.map(decoded), query: new URLSearchParams(search) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const here = (): Place => placeOf(window.location.pathname, window.location.search);

export const place = ref<Place>(here());

window.addEventListener("popstate", () => {
  place.value = here();
});

/** The address of a place, in the language that is shown. */
export function addressOf(to: string): string {
  const address = new URL(BASE + (to === "/" ? "" : to), window.location.origin);
  const lang = new URLSearchParams(window.location.search).get("lang");
  if (lang) address.searchParams.set("lang", lang);
  return address.pathname + address.search;
}

function move(to: string, replace: boolean): void {
  const address = addressOf(to);
  if (replace) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
  place.value = here();
  window.scrollTo(0, 0);
}

export const go = (to: string): void => move(to, false);
/** Goes on without leaving a step behind for the back button. */
export const goInstead = (to: string): void => move(to, true);
