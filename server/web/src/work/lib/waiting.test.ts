import { describe, expect, it } from "vitest";
import type { CaseHead } from "../../lib/case-wire";
import { urgency, waitsFor } from "./waiting";

const head = (id: string, more: Partial<CaseHead> = {}): CaseHead => ({
  id, kind: "warning", state: "dispatched", region: "1411", region_name: "", version: 1,
  opened_at: "2026-11-01T00:00:00", changed_at: "2026-11-01T00:00:00", due_on: "2026-11-20",
  overdue: false, title: { zh: "", en: "" }, ...more,
});

describe("what waits for whom", () => {
  it("a dispatched warning waits for those in the field, one in review for the county", () => {
    expect(waitsFor(head("a"), "village")).toBe(true);
    expect(waitsFor(head("a"), "county")).toBe(false);
    expect(waitsFor(head("a", { state: "review" }), "county")).toBe(true);
    expect(waitsFor(head("a", { state: "handling" }), "department")).toBe(true);
  });

  it("what the program says itself counts more", () => {
    expect(waitsFor({ ...head("a"), actions: [] }, "village")).toBe(false);
    expect(waitsFor({ ...head("a", { state: "closed" }), actions: ["archive"] }, "county")).toBe(true);
  });

  it("an unknown state waits for nobody", () => {
    expect(waitsFor(head("a", { kind: "new", state: "new" }), "county")).toBe(false);
  });
});

describe("the order of a list", () => {
  it("overdue, then the level, then what is due first, then the newest", () => {
    const list = [
      head("later", { due_on: "2026-12-01" }),
      head("old", { opened_at: "2026-10-01T00:00:00" }),
      head("new"),
      head("yellow", { level: "yellow", due_on: "2026-12-01" }),
      head("red", { level: "red", due_on: "2026-12-01" }),
      head("late", { overdue: true }),
      head("never", { due_on: null }),
    ];
    expect(list.sort(urgency).map((each) => each.id)).toEqual([
      "late", "red", "yellow", "new", "old", "later", "never",
    ]);
  });
});
