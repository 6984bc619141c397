// The events of a case in one line.

import type { CaseEvent } from "../../lib/case-wire";

/** Events with the newest first; of one moment the later version first. */
export function newestFirst(events: readonly CaseEvent[]): CaseEvent[] {
  return [...events].sort((a, b) => b.at.localeCompare(a.at) || b.version - a.version);
}
