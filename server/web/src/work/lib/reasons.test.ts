import { describe, expect, it } from "vitest";
import { changedPaths, unreasoned } from "./reasons";

const sheet = (income: number, visit = {}): Record<string, unknown> => ({
  members: [{ name: "甲", monthly_income: income }],
  income: { wages12: 100 },
  visit,
});

describe("a sheet that was filled before the visit", () => {
  it("asks why of each value that was there and is changed", () => {
    expect(changedPaths(sheet(10), sheet(10), sheet(20))).toEqual(["members[0].monthly_income"]);
  });

  it("asks nothing of what was empty before, or of the visit's own entries", () => {
    const more = { ...sheet(10, { record: "乙" }), housing: { area_m2: 60 } };
    expect(changedPaths(sheet(10, { record: "甲" }), sheet(10), more)).toEqual([]);
  });

  it("asks once: what was saved with its reason is not asked again, putting back neither", () => {
    expect(changedPaths(sheet(10), sheet(20), sheet(20))).toEqual([]);
    expect(changedPaths(sheet(10), sheet(20), sheet(10))).toEqual([]);
    expect(changedPaths(sheet(10), sheet(20), sheet(30))).toEqual(["members[0].monthly_income"]);
  });

  it("a value that is taken away is changed as well", () => {
    const without = { ...sheet(10), income: {} };
    expect(changedPaths(sheet(10), sheet(10), without)).toEqual(["income.wages12"]);
  });

  it("a blank is no reason", () => {
    expect(unreasoned(["a", "b", "c"], { a: "看到工资单", b: "  " })).toEqual(["b", "c"]);
  });
});
