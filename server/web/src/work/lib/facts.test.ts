import { describe, expect, it } from "vitest";
import type { Case } from "../../lib/case-wire";
import { authorisedOf, findingsOf } from "./application";
import { calculationOf, changeRowsOf, objectionsOf } from "./facts";
import { monthsAround, paymentsCsv, paymentsOf, total } from "./payments";
import { rulesOf } from "./rules";
import { deadlinesOf, reasonsOf, sourcesOf } from "./warning";

const of = (kind: string, facts: Record<string, unknown>, more: Partial<Case> = {}): Case =>
  ({ kind, state: "dispatched", overdue: false, facts, answers: {}, ...more }) as unknown as Case;

describe("why a warning", () => {
  const facts = {
    reasons: [
      { label: { zh: "自付", en: "paid" }, value: "38500.00", threshold: "15000.00", unit: "yuan" },
      { label: { zh: "年龄", en: "age" }, value: "81", threshold: null, unit: "years" },
      { label: { zh: "未知", en: "unknown" }, value: null, threshold: "3", unit: "" },
      { label: { zh: "在享", en: "aided" }, value: "true", threshold: null, unit: "" },
    ],
    load: [{ contract: "medical", last_day: "2026-10-31" }], snapshot: 41,
    deadlines: { sign: "2026-11-19", visit: "2026-11-23", decide: "2026-11-25", close: "2026-12-09" },
  };

  it("each reason has its value against its threshold, with the unit of the language", () => {
    expect(reasonsOf(of("warning", facts), "zh").map((each) => [each.value, each.threshold])).toEqual([
      ["38,500 元", "15,000 元"], ["81 岁", "—"], ["—", "3"], ["是", "—"],
    ]);
    expect(reasonsOf(of("warning", facts), "en")[0]?.value).toBe("38,500 yuan");
  });

  it("says which load and which snapshot", () => {
    expect(sourcesOf(of("warning", facts))).toEqual({
      loads: [{ contract: "medical", day: "2026-10-31" }], snapshot: "41",
    });
    expect(sourcesOf(of("warning", {}))).toEqual({ loads: [], snapshot: null });
  });

  it("the running deadline alone may be late", () => {
    const signed = of("warning", facts, { state: "signed", overdue: true } as Partial<Case>);
    expect(deadlinesOf(signed).map((each) => [each.name, each.met, each.late])).toEqual([
      ["sign", true, false], ["visit", false, true], ["decide", false, false], ["close", false, false],
    ]);
    expect(deadlinesOf(of("warning", {}))).toEqual([]);
  });
});

describe("an application", () => {
  it("the decision's calculation stands before the review's", () => {
    const calculation = { amount: 100, steps: [{ label: "x", value: 2.5, money: true }] };
    expect(calculationOf(of("application", { calculation }))?.amount).toBe(100);
    const both = { calculation, decision: { calculation: { amount: 200 } } };
    expect(calculationOf(of("application", both))?.amount).toBe(200);
    expect(calculationOf(of("application", {}))).toBeNull();
  });

  it("an objection is settled by its number", () => {
    const facts = { objections: [{ text: "a" }, { text: "b" }], settled: [{ objection: 2, finding: "否" }] };
    expect(objectionsOf(of("application", facts)).map((each) => each.finding !== null)).toEqual([false, true]);
  });

  it("adult members authorise; a check that was done says that all have", () => {
    const members = [
      { name: "甲", birth_date: "1970-01-01", signed: "AU1" },
      { name: "乙", birth_date: "2008-11-02" },
      { name: "丙", birth_date: "2008-11-01" },
    ];
    const more = { answers: { members }, opened_at: "2026-11-01T00:00:00" } as Partial<Case>;
    expect(authorisedOf(of("application", {}, more))).toEqual([
      { name: "甲", valid: true }, { name: "丙", valid: false },
    ]);
    const checked = authorisedOf(of("application", { authorisations: ["AU1", "AU2"] }, more));
    expect(checked.map((person) => person.valid)).toEqual([true, true]);
  });

  it("findings that differ stand first", () => {
    const checks = [
      { item: "marital", agrees: true }, { item: "medical12", agrees: true, found: 1 }, { item: "employment", agrees: false },
    ];
    const found = findingsOf(of("application", { checks }));
    expect(found.map((each) => each.item)).toEqual(["employment", "marital", "medical12"]);
    expect(found[2]?.money).toBe(true);
  });
});

describe("facts that are missing or odd", () => {
  it("break nothing", () => {
    const odd = { reasons: "x", deadlines: 3, measures: null, checks: {}, conflicts: 5, base: [] };
    for (const kind of ["warning", "application", "change"]) {
      const item = of(kind, odd);
      expect(reasonsOf(item, "zh")).toEqual([]);
      expect(deadlinesOf(item)).toEqual([]);
      expect(findingsOf(item)).toEqual([]);
      expect(changeRowsOf(item)).toEqual([]);
    }
  });
});

describe("payments", () => {
  it("add up, and leave as a file that no spreadsheet takes for a formula", () => {
    const rows = paymentsOf({ payments: [{ payee: "=A1", aid: "12", amount: 62_450 }, { amount: 50 }] });
    expect(total(rows)).toBe(62_500);
    expect(paymentsCsv(rows, ["a", "b"], (code) => code).split("\r\n")[1]).toBe("'=A1,,12,624.50,,");
  });

  it("months run over the turn of the year, the latest first", () => {
    const months = monthsAround("2026-11");
    expect(months.slice(0, 3)).toEqual(["2027-01", "2026-12", "2026-11"]);
    expect(months).toHaveLength(15);
    expect(months.at(-1)).toBe("2025-11");
  });
});

describe("rules", () => {
  it("tell apart what fires, what does not, and what was not evaluated", () => {
    const rules = rulesOf({
      rules: [
        { rule: "A05", group: "A", outcome: "fires", hits: 2, late: null },
        { rule: "A06", group: "A", outcome: "quiet", hits: 0, late: null, trial: true },
        { rule: "B02", outcome: "not_evaluated", hits: 0, late: { source: "wages", last_day: "2026-08-31" } },
      ],
    });
    expect(rules.map((rule) => [rule.fires, rule.late])).toEqual([[2, null], [0, null], [null, "wages"]]);
    expect(rules.map((rule) => [rule.trial, rule.last])).toEqual([
      [false, null], [true, null], [false, "2026-08-31"],
    ]);
  });
});
