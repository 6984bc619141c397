import { describe, expect, it } from "vitest";
import { missingOf, quantity, ranked, shortBy, wanted, type Clause, type Policy } from "./assess";

const CLAUSE: Clause = {
  id: "income", label: { zh: "收入", en: "income" }, outcome: "not_met", value: 700, op: "<",
  threshold: 670, unit: "yuan/month", source: "条", parameter: "dibao_line.urban@1407",
  nearest: { value: 669.99, change: -30.01 }, missing: [],
};

const policy = (id: string, outcome: Policy["outcome"], clauses: Clause[] = []): Policy => ({
  policy: id, label: { zh: id, en: id }, outcome, text: { zh: "", en: "" }, clauses, bring: [],
});

describe("numbers of a clause", () => {
  it.each([
    [670, "yuan/month", "670 元/月"],
    [669.99, "yuan/month", "669.99 元/月"],
    [12_345.5, "yuan", "12,345.50 元"],
    [3, "items", "3 项"],
    [65, "percent", "65%"],
    [2, "词", "2 词"],
    [1.5, "", "1.5"],
  ])("%d %s", (value, unit, shown) => expect(quantity(value, unit, "zh")).toBe(shown));
  it("say what would be right and by how much it is missed", () => {
    expect(wanted(CLAUSE, "zh")).toBe("低于 670 元/月");
    expect(wanted(CLAUSE, "en")).toBe("below 670 yuan a month");
    expect(shortBy(CLAUSE, "zh")).toBe("30.01 元/月");
    expect(shortBy({ ...CLAUSE, outcome: "met" }, "zh")).toBe("");
    expect(wanted({ ...CLAUSE, threshold: null }, "zh")).toBe("");
    expect(shortBy({ ...CLAUSE, nearest: null }, "zh")).toBe("");
  });
});

describe("policies", () => {
  it("stand with the met first, in the book's order", () => {
    const order = ranked([
      policy("a", "not_met"), policy("b", "unknown"), policy("c", "met"), policy("d", "met"),
    ]);
    expect(order.map((each) => each.policy)).toEqual(["c", "d", "b", "a"]);
  });
  it("tell once what is missing, and only if it decides", () => {
    const lacks = { path: "members[0].age", zh: "年龄", en: "age" };
    const clauses = [{ ...CLAUSE, missing: [lacks] }, { ...CLAUSE, missing: [lacks] }];
    expect(missingOf(policy("a", "unknown", clauses))).toEqual([lacks]);
    expect(missingOf(policy("a", "not_met", clauses))).toEqual([]);
  });
});
