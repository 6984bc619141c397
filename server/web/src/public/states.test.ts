import { describe, expect, it } from "vitest";
import type { Case, CaseHead } from "../lib/case-wire";
import { asking, factText, sentence, stagesOf, toneOf } from "./states";

const head = (kind: string, state: string): CaseHead => ({
  id: `${kind}-${state}`, kind, state, region: "140105001001", region_name: "甲村", version: 1,
  opened_at: "2026-11-01T08:00:00", changed_at: "2026-11-01T08:00:00", due_on: null,
  overdue: false, title: { zh: "事", en: "case" },
});

const line = (kind: string, state: string): string =>
  stagesOf(kind, state)
    .map((stage) => ({ done: "x", now: ">", later: "." })[stage.state])
    .join("");

describe("the stages of an application", () => {
  it.each([
    ["dibao", "draft", ">......."],
    ["dibao", "submitted", "x>......"],
    ["dibao", "supplementing", "x>......"],
    ["dibao", "reviewed", "xxxxx>.."],
    ["dibao", "posted", "xxxxx>.."],
    ["dibao", "confirmed", "xxxxxxx>"],
    ["dibao", "paying", "xxxxxxxx"],
    // Recognition is neither posted nor paid.
    ["rigid", "reviewed", "xxxxx>"],
    ["rigid", "confirmed", "xxxxxx"],
    ["dibao", "refused", ""],
    ["dibao", "withdrawn", ""],
  ])("of %s when it is %s", (kind, state, expected) => expect(line(kind, state)).toBe(expected));
});

describe("what is told", () => {
  it("is a sentence for each state that a citizen meets", () => {
    expect(sentence(head("declaration", "rejected"), null, "zh")).toContain("没有登记");
    expect(sentence(head("change", "agreed"), "cancel", "zh")).toContain("注销");
    expect(sentence(head("change", "agreed"), "change", "zh")).toContain("改好");
    expect(sentence(head("warning", "closed"), null, "zh")).toBeNull();
  });
  it("never threatens who did not pass the life check", () => {
    const text = sentence(head("life_check", "visit_due"), null, "zh");
    expect(text).toContain("看望");
    expect(text).toContain("照常发放");
  });
  it("is first what waits for the citizen, the urgent before drafts", () => {
    const found = asking([
      head("declaration", "draft"), head("application", "submitted"),
      head("change", "returned"), head("application", "supplementing"),
    ]);
    expect(found.map(({ word }) => word)).toEqual(["todoSupplement", "todoReturned", "todoDraft"]);
  });
  it("has a colour", () => {
    expect(toneOf(head("application", "paying"))).toBe("good");
    expect(toneOf(head("declaration", "rejected"))).toBe("bad");
    expect(toneOf(head("application", "posted"))).toBe("open");
    expect(toneOf(head("application", "withdrawn"))).toBe("");
  });
  it("reads facts however deep, and nothing where there is none", () => {
    const found = { ...head("application", "confirmed"), facts: { decision: { on: "2026-11-02", amount: 55_000 } } };
    expect(factText(found as unknown as Case, "decision.on")).toBe("2026-11-02");
    expect(factText(found as unknown as Case, "decision.amount")).toBe("55000");
    expect(factText(found as unknown as Case, "decision.on.day")).toBe("");
    expect(factText(found as unknown as Case, "refusal.reason")).toBe("");
  });
});
