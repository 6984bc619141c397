import { describe, expect, it } from "vitest";
import type { CaseEvent } from "../../lib/case-wire";
import { aidOf, readRecord, stretches } from "./household";
import { newestFirst } from "./timeline";

const event = (version: number, at: string): CaseEvent => ({
  version, at, actor: { name: "", role: "county" }, command: "x", state: "y",
});

describe("the events of a case", () => {
  it("stand with the newest first; of one moment the later step first", () => {
    const events = [
      event(1, "2026-11-01T09:00:00"), event(2, "2026-11-01T09:00:00"), event(3, "2026-11-02T08:00:00"),
    ];
    expect(newestFirst(events).map((each) => each.version)).toEqual([3, 2, 1]);
    expect(events.map((each) => each.version)).toEqual([1, 2, 3]);
  });
});

describe("the chain of a household", () => {
  const timeline = [
    { at: "2026-10-05T10:00:00", what: "case", case: "W1", case_kind: "warning", state: "closed", command: "close" },
    { at: "2026-11-20T08:00:00", what: "case", case: "A1", case_kind: "application", state: "posted", title: { zh: "低保", en: "d" } },
    { at: "2025-03-01", what: "aid_start", kind: "12", amount: 31_200, member: "王*" },
    { at: "2026-11-02T10:00:00", what: "case", case: "S1", case_kind: "survey" },
    { what: "case", case: "without a day" },
  ];

  it("is put into months, the newest first", () => {
    const months = stretches({ timeline });
    expect(months.map((each) => each.month)).toEqual(["2026-11", "2026-10", "2025-03"]);
    expect(months[0]?.moments.map((each) => each.case)).toEqual(["A1", "S1"]);
    expect(months[2]?.moments[0]).toMatchObject({ aid: "12", amount: 31_200, member: "王*" });
  });

  it("is empty where there is none", () => {
    for (const odd of [null, {}, [], { timeline: 3 }]) expect(stretches(odd)).toEqual([]);
  });
});

describe("the aid of a household", () => {
  it("is everybody's, what runs before what is over, the latest first", () => {
    const persons = [
      { key: "1", values: { name: "甲" }, aid: [{ kind: "41", start: "2024-01-01", end: "2024-02-01" }] },
      { key: "2", values: { name: "乙" }, aid: [{ kind: "12", start: "2020-01-01" }, { kind: "51", start: "2021-01-01", end: null }] },
    ];
    const aid = aidOf(readRecord({ persons }), "2026-11-01");
    expect(aid.map((each) => [each["kind"], each["person"]])).toEqual([["51", "乙"], ["12", "乙"], ["41", "甲"]]);
  });
});
