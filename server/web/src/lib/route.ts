// The state of the screen, kept in the address so that links and the browser's back button work.

import { screenArea, within } from "./area";

export interface Route {
  area: string;
  /** Empty: the first measure of the catalogue. */
  measure: string;
  layer: "city" | "county";
  rank: "top" | "bottom";
}

export const HOME: Route = { area: "14", measure: "", layer: "county", rank: "top" };

/** Reads an address's query; whatever is missing or senseless falls back to the home screen's. */
export function parseRoute(search: string): Route {
  const params = new URLSearchParams(search);
  const measure = params.get("measure") ?? "";
  return {
    area: screenArea(params.get("area") ?? "") ?? HOME.area,
    measure: /^[a-z0-9_]*$/.test(measure) ? measure : HOME.measure,
    layer: params.get("layer") === "city" ? "city" : "county",
    rank: params.get("rank") === "bottom" ? "bottom" : "top",
  };
}

/** The query of an address, with only what differs from the home screen; `keep` is left as it is. */
export function formatRoute(route: Route, keep: Record<string, string> = {}): string {
  const params = new URLSearchParams();
  if (route.area !== HOME.area) params.set("area", route.area);
  if (route.measure !== HOME.measure) params.set("measure", route.measure);
  if (route.layer !== HOME.layer) params.set("layer", route.layer);
  if (route.rank !== HOME.rank) params.set("rank", route.rank);
  for (const [name, value] of Object.entries(keep)) params.set(name, value);
  const text = params.toString();
  return text === "" ? "/" : `/?${text}`;
}

/** The route moved to the reader's own area if it lies outside it. */
export function inScope(route: Route, scope: string | null): Route {
  if (scope === null || within(route.area, scope)) return route;
  return { ...route, area: screenArea(scope) ?? HOME.area };
}
