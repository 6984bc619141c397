// Area codes: decimal digits in which every level is a prefix of the next.

export const LEVELS = ["province", "city", "county", "township", "village"] as const;
export type Level = (typeof LEVELS)[number];

const DIGITS: Record<Level, number> = {
  province: 2,
  city: 4,
  county: 6,
  township: 9,
  village: 12,
};

export function levelOf(code: string): Level | null {
  return LEVELS.find((level) => DIGITS[level] === code.length) ?? null;
}

/** A code cut to a level: `140105001` at county is `140105`. */
export function codeAt(code: string, level: Level): string {
  return code.slice(0, DIGITS[level]);
}

export function within(code: string, area: string): boolean {
  return code.startsWith(area);
}

/**
 * The level a screen lists its areas by. A province may list its cities or its counties;
 * elsewhere it is the next level down. Villages are the last.
 */
export function listedLevel(level: Level, layer: "city" | "county"): Level {
  switch (level) {
    case "province":
      return layer;
    case "city":
      return "county";
    case "county":
      return "township";
    case "township":
    case "village":
      return "village";
  }
}

/** The area whose screen can be shown for a code: a village is seen on its township's. */
export function screenArea(code: string): string | null {
  const level = levelOf(code);
  if (level === null || !/^\d+$/.test(code)) return null;
  return level === "village" ? codeAt(code, "township") : code;
}
