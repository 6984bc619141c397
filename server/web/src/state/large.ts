// Large type for who reads with difficulty (长者模式): remembered on this device only.

import { ref, watchEffect } from "vue";

const KEY = "yiku.large";

function remembered(): boolean {
  try {
    return window.localStorage.getItem(KEY) === "1";
  } catch {
    // A browser that keeps nothing: the switch works until the page is left.
    return false;
  }
}

export const large = ref(remembered());

/** Turns large type on or off on every page of this device. */
export function switchLarge(): void {
  large.value = !large.value;
  try {
    window.localStorage.setItem(KEY, large.value ? "1" : "0");
  } catch {
    // Not remembered; nothing else is lost.
  }
}

watchEffect(() => {
  document.documentElement.classList.toggle("large", large.value);
});
