// Requests to the server of this page. Every failure becomes a `RequestFailed` that carries a problem.

import type { Area, BatchAnswer, BatchQuery, Meta, Problem } from "./wire";
import type { FeatureCollection } from "geojson";

const BASE = "/api/v1";

export class RequestFailed extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "title" in value && "code" in value;
}

/** What a failed answer says of itself, or the HTTP status if it says nothing readable. */
export function problemFrom(status: number, statusText: string, body: string): Problem {
  try {
    const parsed: unknown = JSON.parse(body);
    if (isProblem(parsed)) return { ...parsed, status: parsed.status ?? status };
  } catch {
    // Not JSON: a proxy's page, or nothing at all. The status line is what is left.
  }
  return { title: statusText || `HTTP ${status}`, status, code: `http.${status}` };
}

async function ask(path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new RequestFailed({ title: "network", status: 0, code: "network.unreachable" });
  }
  if (response.status !== 304 && !response.ok) {
    const body = await response.text();
    throw new RequestFailed(problemFrom(response.status, response.statusText, body));
  }
  return response;
}

async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, signal ? { signal } : undefined);
  return (await response.json()) as T;
}

export function fetchMeta(signal?: AbortSignal): Promise<Meta> {
  return getJson("/meta", signal);
}

export function fetchArea(code: string, signal?: AbortSignal): Promise<Area> {
  return getJson(`/areas/${encodeURIComponent(code)}?depth=1`, signal);
}

export interface TaggedBatch {
  answer: BatchAnswer;
  etag: string | null;
}

/** Asks the questions of one screen; `null` if `etag` still names the newest answer. */
export async function fetchBatch(
  queries: BatchQuery[],
  etag: string | null,
  signal?: AbortSignal,
): Promise<TaggedBatch | null> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (etag) headers["If-None-Match"] = etag;
  const init: RequestInit = { method: "POST", headers, body: JSON.stringify({ queries }) };
  const response = await ask("/batch", signal ? { ...init, signal } : init);
  if (response.status === 304) return null;
  return { answer: (await response.json()) as BatchAnswer, etag: response.headers.get("ETag") };
}

const layers = new Map<string, Promise<FeatureCollection>>();

/** The boundaries of one layer. Asked once; a failure is not remembered. */
export function fetchLayer(layer: "county" | "city"): Promise<FeatureCollection> {
  let pending = layers.get(layer);
  if (!pending) {
    pending = getJson<FeatureCollection>(`/map/${layer}.geojson`);
    pending.catch(() => layers.delete(layer));
    layers.set(layer, pending);
  }
  return pending;
}
