import { describe, expect, it } from "vitest";
import { changeRows, conflictPaths, leaves, withFound } from "./conflict";

const answers = (phone: string, income: number): unknown => ({
  family: { phone, address: "某村1号" },
  members: [{ name: "甲", monthly_income: income }],
});

describe("a change against the registry", () => {
  it("shows only what differs", () => {
    const rows = changeRows(answers("1", 10), answers("1", 10), answers("2", 10));
    expect(rows).toEqual([
      { path: "family.phone", base: "1", current: "1", proposed: "2", conflict: false },
    ]);
  });

  it("marks what the registry changed meanwhile to something else", () => {
    const rows = changeRows(answers("1", 10), answers("3", 20), answers("2", 10));
    expect(conflictPaths(rows)).toEqual(["family.phone"]);
    const income = rows.find((row) => row.path === "members[0].monthly_income");
    expect(income).toMatchObject({ base: 10, current: 20, proposed: 10, conflict: false });
  });

  it("is no conflict when both came to the same", () => {
    expect(conflictPaths(changeRows(answers("1", 1), answers("2", 1), answers("2", 1)))).toEqual([]);
  });

  it("a field that the change does not speak of keeps its value", () => {
    const rows = changeRows(answers("1", 10), answers("1", 10), { family: { phone: "2" } });
    expect(rows.map((row) => row.path)).toEqual(["family.phone"]);
  });

  it("an answer of nought and an answer of no are answers", () => {
    const rows = changeRows({ a: { n: 5, f: true } }, { a: { n: 5, f: true } }, { a: { n: 0, f: false } });
    expect(rows.map((row) => row.proposed)).toEqual([0, false]);
  });

  it("lists of codes are compared whole", () => {
    expect([...leaves({ a: { codes: ["x", "y"], empty: [] } })]).toEqual([["a.codes", ["x", "y"]]]);
    expect(changeRows({ a: ["x"] }, { a: ["x"] }, { a: ["x"] })).toEqual([]);
  });

  it("finds a member by the ID number, not by the place", () => {
    const of = (ids: string[], income: number): unknown => ({
      members: ids.map((id) => ({ id_number: id, monthly_income: income })),
    });
    const rows = changeRows(of(["A", "B"], 1), of(["B", "A"], 1), of(["B", "A"], 1));
    expect(rows).toEqual([]);
    const gone = changeRows(of(["A", "B"], 1), of(["A", "B"], 1), of(["A"], 1));
    expect(gone.map((row) => row.path)).toEqual(["members[1].id_number", "members[1].monthly_income"]);
  });

  it("believes the program where masks hide a conflict", () => {
    const rows = changeRows({ f: { phone: "138****1" } }, { f: { phone: "138****1" } }, { f: { phone: "138****1" } });
    const found = [{ path: "f.phone", base: "138****1", declared: "138****1", registered: "138****1" }];
    expect(conflictPaths(withFound(rows, found))).toEqual(["f.phone"]);
    expect(conflictPaths(withFound(changeRows({ a: 1 }, { a: 2 }, { a: 3 }), []))).toEqual([]);
  });
});
