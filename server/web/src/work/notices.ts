// What the program reports while a page is open: one stream of server-sent events.

import { ref } from "vue";
import type { Said } from "../lib/case-wire";

export interface Notice {
  id: string;
  kind: string;
  state: string;
  region: string;
  level?: string | null;
  /** When the case moved: the moment of its event. */
  at?: string;
  text: Said;
}

/** Whether the stream stands; shown when it does not. */
export const connected = ref(true);

/** Cases that were reported in the last while: shown with a mark. */
export const fresh = ref<ReadonlySet<string>>(new Set());

const FRESH_FOR = 30_000;
/** A stream that the program refused is asked for again after this, in milliseconds. */
const AGAIN_AFTER = 5_000;

type Listener = (notice: Notice) => void;
const listeners = new Set<Listener>();
let stream: EventSource | null = null;
let again: number | null = null;

/** One report as it came, or null if it is none. */
export function readNotice(text: string): Notice | null {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== "object" || found === null) return null;
    const { id, kind, state } = found as Record<string, unknown>;
    const whole = [id, kind, state].every((each) => typeof each === "string");
    return whole ? (found as Notice) : null;
  } catch {
    return null;
  }
}

/** Whether a report is a warning that somebody has just been given. */
export function isNewWarning(notice: Notice): boolean {
  return notice.kind === "warning" && notice.state === "dispatched";
}

function heard(event: MessageEvent<string>): void {
  const notice = readNotice(event.data);
  if (!notice) return;
  fresh.value = new Set([...fresh.value, notice.id]);
  window.setTimeout(() => {
    fresh.value = new Set([...fresh.value].filter((id) => id !== notice.id));
  }, FRESH_FOR);
  for (const listener of listeners) listener(notice);
}

/** Opens the stream; it mends itself after a break. */
export function listen(): void {
  if (stream) return;
  stream = new EventSource("/api/v1/notices");
  stream.addEventListener("case", heard as (event: Event) => void);
  stream.onopen = () => {
    connected.value = true;
  };
  stream.onerror = () => {
    connected.value = false;
    if (stream?.readyState !== EventSource.CLOSED || again !== null) return;
    stream = null;
    again = window.setTimeout(() => {
      again = null;
      listen();
    }, AGAIN_AFTER);
  };
}

export function hangUp(): void {
  if (again !== null) window.clearTimeout(again);
  again = null;
  stream?.close();
  stream = null;
}

/** Hears every report until the returned function is called. */
export function onNotice(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
