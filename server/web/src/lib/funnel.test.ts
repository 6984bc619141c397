import { describe, expect, it } from "vitest";
import { funnelRows } from "./funnel";

const stages = (counts: Record<string, number>): { stage: string; cases: number }[] =>
  Object.entries(counts).map(([stage, cases]) => ({ stage, cases }));

describe("the way of warnings", () => {
  it("each step is a part of those raised, in its own order", () => {
    const counts = { helped: 1, generated: 200, visited: 100, signed: 150, confirmed: 50 };
    const rows = funnelRows({ stages: stages(counts) });
    expect(rows.map((row) => row.step)).toEqual(["generated", "signed", "visited", "confirmed", "helped"]);
    expect(rows.map((row) => row.share)).toEqual([100, 75, 50, 25, 1]);
  });

  it("nothing raised is nothing of nothing", () => {
    const rows = funnelRows({ stages: [] });
    expect(rows.map((row) => [row.count, row.share])).toEqual(Array.from({ length: 5 }, () => [0, 0]));
  });
});
