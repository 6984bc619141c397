import { describe, expect, it } from "vitest";
import { day, integer, measured, money, signed } from "./format";
import { moneyScale, scaleFor } from "./scale";

describe("money", () => {
  it.each([
    [null, "—", "元"],
    [0, "0", "元"],
    [68_000, "680", "元"],
    [68_050, "680.50", "元"],
    [999_999, "9,999.99", "元"],
    [1_000_000, "1.00", "万元"],
    [691_210_000, "691.21", "万元"],
    [6_635_570_000, "6,635.6", "万元"],
    [10_000_000_000, "1.00", "亿元"],
  ])("%s fen", (fen, text, unit) => {
    expect(money(fen, "zh")).toEqual({ text, unit });
  });
});

describe("numbers", () => {
  it("separates thousands", () => {
    expect(integer(1234567)).toBe("1,234,567");
    expect(integer(null)).toBe("—");
  });
  it("shows a measure in its unit", () => {
    expect(measured(24.126, "float", "人/万人", "zh")).toEqual({ text: "24.13", unit: "人/万人" });
    expect(measured(52_300, "money", "元/人", "en")).toEqual({ text: "523.00", unit: "yuan/person" });
  });
  it("writes days in the language", () => {
    expect(day("2026-10-31", "zh")).toBe("2026年10月31日");
    expect(day("2026-10-31", "en")).toBe("2026-10-31");
  });
});

describe("scales", () => {
  it("takes one unit for all values", () => {
    const scale = scaleFor("money", "元", [5_000, 25_000_000], "zh");
    expect(scale.unit).toBe("万元");
    expect(scale.text(5_000)).toBe("0.01");
    expect(scale.plain(25_000_000)).toBe("25.00");
  });
  it("does not rescale a ratio of money", () => {
    expect(scaleFor("money", "元/人", [9_000_000], "zh").text(9_000_000)).toBe("90,000.00");
  });
  it("keeps missing apart from zero", () => {
    const scale = moneyScale("万元", "zh");
    expect(scale.text(null)).toBe("—");
    expect(scale.plain(null)).toBe("");
    expect(scale.plain(0)).toBe("0.00");
  });
});

describe("signed", () => {
  it.each([
    [1.24, "+1.2"],
    [-0.44, "\u22120.4"],
    [0.04, "0.0"],
    [-0.04, "0.0"],
    [0, "0.0"],
  ])("%s per cent", (change, text) => {
    expect(signed(change)).toBe(text);
  });
});
