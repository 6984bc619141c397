import { describe, expect, it } from "vitest";
import { ranking, ranks, sortBy } from "./ranking";

const ROWS = [
  { code: "a", value: 5 },
  { code: "b", value: null },
  { code: "c", value: 9 },
  { code: "d", value: 5 },
  { code: "e", value: 0 },
];
const codes = (rows: { code: string }[]): string => rows.map((row) => row.code).join("");

describe("ranking", () => {
  it("shares a rank among equals and leaves out areas without data", () => {
    expect([...ranks(ROWS)].sort()).toEqual([["a", 2], ["c", 1], ["d", 2], ["e", 4]]);
  });
  it("gives either end", () => {
    expect(codes(ranking(ROWS, "top", 3))).toBe("cad");
    expect(codes(ranking(ROWS, "bottom", 2))).toBe("ea");
  });
  it("sorts missing values last in both directions", () => {
    expect(codes(sortBy(ROWS, (row) => row.value, "asc"))).toBe("eadcb");
    expect(codes(sortBy(ROWS, (row) => row.value, "desc"))).toBe("cadeb");
  });
});
