import { describe, expect, it } from "vitest";
import { RequestFailed, problemFrom } from "./api";
import { LOW_INCOME, periodOf, screenQuestions } from "./questions";
import { paidChange, readScreen } from "./screen";
import { tableColumns, tableCsv } from "./table";
import type { Answer, BatchAnswer, Column } from "./wire";
import { zh } from "../locales/zh";

function answer(codes: (string | null)[], measures: Record<string, (number | string | null)[]>): Answer {
  const group: Column = {
    name: "region.city", type: "path", role: "group", unit: null, values: codes,
    labels: codes.map((code) => (code === null ? "合计" : `名${code}`)),
  };
  const columns = Object.entries(measures).map<Column>(([name, values]) => ({
    name, type: "int", role: "measure", unit: "人", values,
  }));
  return {
    columns: [group, ...columns], levels: codes.map((code) => (code === null ? 1 : 0)),
    rows: codes.length, total_rows: codes.length, truncated: false, limit: null, matched: 0,
  };
}

const BATCH: BatchAnswer = {
  data_version: "7",
  as_of: "2026-10-31",
  results: [
    { id: "persons", ...answer(["1401", "1402", null], { persons: [10, "20", 30], left: [0, 1, 1] }) },
    { id: "homes", ...answer(["1401", "1402", null], { homes: [4, 7, 11], dibao_urban: [1, 2, 3] }) },
    { id: "paid", ...answer(["1402", null], { paid: [68_000, 68_000] }) },
    { id: "paid_year", problem: { title: "no", status: 422, code: "query.unsupported" } },
    { id: "measure", ...answer(["1401", "1402", null], { value: [0, 3, 3] }) },
  ],
};

describe("readScreen", () => {
  const screen = readScreen(BATCH);
  it("joins the answers by area", () => {
    expect(screen.rows.map((row) => [row.code, row.name, row.value])).toEqual([
      ["1401", "名1401", 0], ["1402", "名1402", 3],
    ]);
    expect(screen.rows[1]!.figures).toMatchObject({
      persons: 20, homes: 7, dibao_urban_homes: 2, paid: 68_000,
    });
  });
  it("keeps zero and missing apart", () => {
    expect(screen.rows[0]!.figures.left).toBe(0);
    expect(screen.rows[0]!.figures.paid).toBeNull();
  });
  it("takes totals from the total rows", () => {
    expect(screen.total).toMatchObject({ persons: 30, homes: 11, paid: 68_000, paid_year: null });
    expect(screen.measureTotal).toBe(3);
  });
  it("lets one question fail without the others, but not the first", () => {
    expect([...screen.problems.keys()]).toEqual(["paid_year"]);
    const problem = { title: "x", status: 422, code: "query.syntax" };
    expect(() => readScreen({ ...BATCH, results: [{ id: "persons", problem }] })).toThrow(RequestFailed);
  });
  it("counts nobody where there is no row", () => {
    const none = readScreen({ ...BATCH, results: [{ id: "persons", ...answer([], {}) }] });
    expect(none.total.persons).toBe(0);
    expect(none.total.paid).toBeNull();
  });
  it("prints the table as a file", () => {
    const t = (key: keyof typeof zh): string => zh[key];
    const columns = tableColumns(null, t, "zh");
    const rows = screen.rows.map((row) => ({ ...row, shown: row.name }));
    const text = tableCsv(columns, rows, { figures: screen.total, value: null }, {
      code: "区划代码", area: "区域", total: "合计",
    });
    const lines = text.split("\r\n");
    expect(lines[0]!.startsWith("\uFEFF区划代码,区域,低收入人口(人),登记人口(人),登记户数(户)")).toBe(true);
    expect(lines[2]).toBe("1402,名1402,,20,7,,,,,,,,1,0.07,");
    expect(lines).toHaveLength(5);
  });
});

describe("paidChange", () => {
  const months = [
    { month: "2026-08", paid: 0, people: 0 },
    { month: "2026-09", paid: 200, people: 2 },
    { month: "2026-10", paid: 230, people: 2 },
  ];
  it("is against the month before", () => {
    expect(paidChange(months, "2026-10")).toBeCloseTo(15);
  });
  it("is nothing without a month before, or with nothing paid in it", () => {
    expect(paidChange(months, "2026-08")).toBeNull();
    expect(paidChange(months, "2026-09")).toBeNull();
    expect(paidChange(months, "2026-11")).toBeNull();
  });
});

describe("questions", () => {
  it("knows the months of a date", () => {
    expect(periodOf("2026-10-31")).toEqual({
      month: "2026-10", first: "2026-10-01", last: "2026-10-31", january: "2026-01", start: "2025-11",
    });
    expect(periodOf("2024-02-10").last).toBe("2024-02-29");
    expect(periodOf("2026-12-31").start).toBe("2026-01");
  });
  it("asks about the area on the screen only", () => {
    const period = periodOf("2026-10-31");
    const questions = screenQuestions({ area: "1401", listed: "county", period, measure: null });
    expect(questions.every(({ q }) => q.includes("region within 1401"))).toBe(true);
    expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length);
    expect(questions[0]!.q).toContain(`low = count(where any(aid where kind in (${LOW_INCOME})`);
  });
});

describe("problemFrom", () => {
  it("reads a problem, and makes one of anything else", () => {
    expect(problemFrom(422, "", '{"title":"t","code":"query.type"}').code).toBe("query.type");
    expect(problemFrom(502, "Bad Gateway", "<html>")).toEqual({
      title: "Bad Gateway", status: 502, code: "http.502",
    });
  });
});
