// What the screen shows and how it comes by it: the address decides, one batch answers.

import { computed, ref, shallowRef, watch } from "vue";
import { fetchArea, fetchBatch, fetchLayer, fetchMeta, RequestFailed } from "../lib/api";
import { codeAt, levelOf, listedLevel, type Level } from "../lib/area";
import { boundaries, type Boundary } from "../lib/geometry";
import { Latest, Superseded } from "../lib/latest";
import { periodOf, screenQuestions, type Period } from "../lib/questions";
import { formatRoute, HOME, inScope, parseRoute, type Route } from "../lib/route";
import { readScreen, type AreaRow, type Screen } from "../lib/screen";
import type { Area, BatchQuery, MeasureEntry, Meta, Problem } from "../lib/wire";
import { language } from "./language";
import { scope, whoLooks } from "./scope";

/** Everything on the screen at one moment: swapped as a whole, never in parts. */
export interface View {
  area: Area;
  level: Level;
  listed: Level;
  layer: "city" | "county";
  measure: MeasureEntry | null;
  period: Period;
  screen: Screen;
  /** All areas of the listed level: those with rows and those without. */
  rows: AreaRow[];
  /** Boundaries of the listed areas; empty where none are public. */
  shapes: Boundary[];
  /** Outlines drawn over them: cities over counties. */
  outlines: Boundary[];
  cityNames: Map<string, string>;
}

/** How often the server is asked whether there is a newer version, in milliseconds. */
const REFRESH_EVERY = 60_000;

export const route = ref<Route>(parseRoute(window.location.search));
export const meta = shallowRef<Meta | null>(null);
export const view = shallowRef<View | null>(null);
export const problem = shallowRef<Problem | null>(null);
export const loading = ref(true);
export const stale = ref(false);
/** The area under the pointer, on the map or beside it. */
export const hovered = ref<string | null>(null);

export const measures = computed(() => meta.value?.measures ?? []);

const latest = new Latest();
let asked: { queries: BatchQuery[]; etag: string | null } | null = null;

function address(): string {
  return formatRoute(route.value, language.value === "en" ? { lang: "en" } : {});
}

/** Goes to another state of the screen; the browser's back button returns. */
export function navigate(change: Partial<Route>): void {
  route.value = inScope({ ...route.value, ...change }, scope.value);
  window.history.pushState(null, "", address());
}

/** Back to where the reader begins. */
export function goHome(): void {
  navigate({ ...HOME });
}

export const isHome = computed(() => route.value.area === inScope({ ...HOME }, scope.value).area);

export function openArea(code: string): void {
  hovered.value = null;
  navigate({ area: code });
}

async function newestMeta(signal: AbortSignal): Promise<Meta> {
  return (meta.value ??= await fetchMeta(signal));
}

function chosenMeasure(catalogue: Meta, id: string): MeasureEntry | null {
  return catalogue.measures.find((entry) => entry.id === id) ?? catalogue.measures[0] ?? null;
}

interface Shapes {
  shapes: Boundary[];
  outlines: Boundary[];
  cities: Boundary[];
}

async function fetchShapes(area: string, listed: Level): Promise<Shapes> {
  const cities = boundaries(await fetchLayer("city"), "city", area);
  if (listed === "city") return { shapes: cities, outlines: [], cities };
  const counties = await fetchLayer("county");
  if (listed === "county") {
    return { shapes: boundaries(counties, "county", area), outlines: cities, cities };
  }
  return { shapes: [], outlines: boundaries(counties, "county", codeAt(area, "city")), cities };
}

function allRows(screen: Screen, shapes: Boundary[], area: Area, listed: Level): AreaRow[] {
  const rows = new Map(screen.rows.map((row) => [row.code, row]));
  const blank = Object.fromEntries(
    Object.keys(screen.total).map((field) => [field, null]),
  ) as AreaRow["figures"];
  const add = (code: string, name: string): void => {
    if (!rows.has(code)) rows.set(code, { code, name, figures: blank, value: null });
  };
  for (const shape of shapes) add(shape.code, shape.name);
  for (const child of area.children) if (child.level === listed) add(child.code, child.name);
  return [...rows.values()].sort((a, b) => a.code.localeCompare(b.code));
}

async function read(wanted: Route, signal: AbortSignal, again = true): Promise<View> {
  const level = levelOf(wanted.area) ?? "province";
  const listed = listedLevel(level, wanted.layer);
  const catalogue = await newestMeta(signal);
  const measure = chosenMeasure(catalogue, wanted.measure);
  if (!catalogue.as_of) throw new RequestFailed({ title: "no day", status: 0, code: "page.no_day" });
  const period = periodOf(catalogue.as_of);
  const queries = screenQuestions({ area: wanted.area, listed, period, measure });
  const [area, tagged, drawn] = await Promise.all([
    fetchArea(wanted.area, signal),
    fetchBatch(queries, null, signal),
    fetchShapes(wanted.area, listed),
  ]);
  if (again && tagged && tagged.answer.as_of !== catalogue.as_of) {
    // The data moved on since the catalogue was read: its month is no longer this month.
    meta.value = null;
    return read(wanted, signal, false);
  }
  if (!tagged) throw new RequestFailed({ title: "not modified", status: 304, code: "http.304" });
  asked = { queries, etag: tagged.etag };
  const screen = readScreen(tagged.answer);
  return {
    area,
    level,
    listed,
    layer: wanted.layer,
    measure,
    period,
    screen,
    rows: allRows(screen, drawn.shapes, area, listed),
    shapes: drawn.shapes,
    outlines: drawn.outlines,
    cityNames: new Map(drawn.cities.map((city) => [city.code, city.name])),
  };
}

/** Reads what the address asks for. An older reading still under way is dropped. */
export async function load(): Promise<void> {
  loading.value = true;
  try {
    view.value = await latest.run((signal) => read(route.value, signal));
    problem.value = null;
    stale.value = false;
  } catch (error) {
    if (error instanceof Superseded) return;
    problem.value =
      error instanceof RequestFailed
        ? error.problem
        : { title: String(error), status: 0, code: "page.failed" };
  }
  loading.value = false;
}

/** Asks again for the same screen and takes the answer only if the data have changed. */
async function refresh(): Promise<void> {
  if (loading.value || document.hidden) return;
  if (problem.value || !asked) return load();
  const { queries, etag } = asked;
  try {
    const tagged = await fetchBatch(queries, etag);
    stale.value = false;
    if (tagged === null || loading.value || asked.queries !== queries) return;
    if (tagged.answer.data_version === view.value?.screen.version) return;
    meta.value = null;
    await load();
  } catch {
    // Shown on the title bar; the next turn tries again.
    stale.value = true;
  }
}

/** Connects the screen to the address and begins. */
export async function start(): Promise<void> {
  if (!(await whoLooks())) return;
  route.value = inScope(route.value, scope.value);
  window.addEventListener("popstate", () => {
    route.value = inScope(parseRoute(window.location.search), scope.value);
  });
  watch(language, () => window.history.replaceState(null, "", address()));
  watch(() => [route.value.area, route.value.measure, route.value.layer], () => void load());
  window.setInterval(() => void refresh(), REFRESH_EVERY);
  void load();
}
