// Who looks at the screen, where the program has people at work: their region is all they see.
// A program without them shows the whole province to everybody, as it always did.

import { computed, ref } from "vue";
import type { Role } from "../lib/case-wire";
import { homeOf, loadSession, signAddress, session } from "../lib/session";

/** Roles that have this screen; others have pages of their own. */
const LOOKS: readonly Role[] = ["township", "county", "city", "province"];

/** Whether the program has people at work. */
export const platform = ref(false);

export const who = computed(() => (platform.value ? (session.value?.account ?? null) : null));

/** The area above which nothing is shown; null for the whole province. */
export const scope = computed(() => who.value?.scope ?? null);

export const isDemo = computed(() => platform.value && (session.value?.demo ?? false));

/** Finds out who looks; false if they are sent to another page. */
export async function whoLooks(): Promise<boolean> {
  let found;
  try {
    found = await loadSession();
  } catch {
    // An older program, or none at all: the screen's own questions will tell.
    return true;
  }
  if (!found.platform) return true;
  if (!found.account || found.account.must_change) {
    const here = window.location.pathname + window.location.search;
    window.location.replace(signAddress(here));
    return false;
  }
  if (!LOOKS.includes(found.account.role)) {
    window.location.replace(homeOf(found.account));
    return false;
  }
  platform.value = true;
  return true;
}
