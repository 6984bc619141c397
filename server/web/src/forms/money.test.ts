import { describe, expect, it } from "vitest";
import { parseYuan, shownYuan, typedYuan } from "./money";

describe("money that is typed", () => {
  it.each([
    ["1200", 120_000],
    ["1,200.50", 120_050],
    ["１２００元", 120_000],
    ["１，２００．５", 120_050],
    ["￥0.01", 1],
    ["0.29", 29],
    ["007", 700],
    ["12.", 1_200],
    ["99999999999.99", 9_999_999_999_999],
  ])("%s is %i fen", (text, fen) => expect(parseYuan(text)).toEqual({ fen }));
  it.each(["", "  ", "元"])("'%s' is nothing", (text) => expect(parseYuan(text)).toEqual({ fen: null }));
  it.each(["-5", "1.234", "1e5", "三百", "1.2.3", "100000000000", "0x10"])(
    "%s is no sum",
    (text) => expect(parseYuan(text)).toEqual({ fault: "money" }),
  );
});

describe("money that is read", () => {
  it.each([
    [0, "0", "0"],
    [1, "0.01", "0.01"],
    [120_000, "1200", "1,200"],
    [123_456_789, "1234567.89", "1,234,567.89"],
    [-55_050, "-550.50", "-550.50"],
  ])("%i fen", (fen, typed, shown) => {
    expect(typedYuan(fen)).toBe(typed);
    expect(shownYuan(fen)).toBe(shown);
  });
  it.each([null, undefined, "12", 1.5, NaN])("%s is no money", (value) =>
    expect(shownYuan(value)).toBe(""),
  );
  it("comes back as it was typed", () => {
    for (const fen of [0, 1, 10, 99, 100, 101, 12_345_678]) {
      expect(parseYuan(typedYuan(fen))).toEqual({ fen });
      expect(parseYuan(shownYuan(fen))).toEqual({ fen });
    }
  });
});
