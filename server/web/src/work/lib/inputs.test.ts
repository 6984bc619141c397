import { describe, expect, it } from "vitest";
import type { ActionInput } from "../../lib/case-wire";
import { blankValues, sentInput } from "./inputs";

const input = (kind: ActionInput["kind"], required = true): ActionInput => ({
  name: "it", kind, label: { zh: "它", en: "it" }, required,
});

describe("what a dialog sends", () => {
  it.each<[ActionInput["kind"], unknown, unknown]>([
    ["text", "  好 ", "好"],
    ["long_text", "第一行\n第二行", "第一行\n第二行"],
    ["money", "1,250.5", 125_050],
    ["amount", "680", 68_000],
    ["date", "2026-10-31", "2026-10-31"],
    ["code", "dibao", "dibao"],
    ["codes", ["a", "b"], ["a", "b"]],
    ["flag", true, true],
    ["marks", [{ path: "family.phone", note: " 号码少一位 " }], [{ path: "family.phone", note: "号码少一位" }]],
    ["case", "SV1", "SV1"],
    ["files", ["ab12"], ["ab12"]],
    ["region", "141124100", "141124100"],
    ["number", " 2 ", 2],
    ["signature", "d1", "d1"],
    ["signatures", [{ name: " 甲 ", signature: "d1" }], [{ name: "甲", signature: "d1" }]],
  ])("%s", (kind, value, sent) => {
    const got = sentInput([input(kind)], { it: value as string });
    expect(got).toEqual({ input: { it: sent }, faults: {} });
  });

  it.each<ActionInput["kind"]>([
    "text", "long_text", "money", "amount", "date", "code", "codes", "flag", "marks", "case", "files",
    "region", "number", "signature", "signatures",
  ])("an empty %s that is required is a fault beside it", (kind) => {
    const blank = blankValues([input(kind)]);
    const got = sentInput([input(kind)], blank);
    expect(got.input).toEqual({});
    expect(got.faults["it"]?.zh).toBeTruthy();
  });

  it.each<ActionInput["kind"]>(["text", "money", "date", "code", "codes", "marks", "case", "files"])(
    "an empty %s that is not required is left out",
    (kind) => {
      const got = sentInput([input(kind, false)], blankValues([input(kind, false)]));
      expect(got).toEqual({ input: {}, faults: {} });
    },
  );

  it("a flag that is not required is sent as it stands", () => {
    expect(sentInput([input("flag", false)], { it: false }).input).toEqual({ it: false });
  });

  it.each([
    ["money", "十元"], ["amount", "1.234"], ["money", "-5"],
    ["date", "2026-02-30"], ["date", "31.10.2026"],
  ] as const)("%s %s is refused before it is sent", (kind, text) => {
    const got = sentInput([input(kind)], { it: text });
    expect(got.input).toEqual({});
    expect(got.faults["it"]).toBeDefined();
  });

  it("a marked entry without a word of what is wrong is a fault", () => {
    const got = sentInput([input("marks")], { it: [{ path: "family.phone", note: " " }] });
    expect(got.faults["it"]?.zh).toContain("写明");
  });

  it("who signs gives a name and a signature", () => {
    const half = [{ name: "甲", signature: "d1" }, { name: "乙", signature: "" }];
    const got = sentInput([input("signatures", false)], { it: half });
    expect(got.input).toEqual({});
    expect(got.faults["it"]?.zh).toContain("签名");
  });

  it("choices are of the conflicts alone, and of each of them", () => {
    const two = ["family.phone", "family.address"];
    const half = sentInput([input("choices")], { it: { "family.phone": "declared" } }, two);
    expect(half.faults["it"]).toBeDefined();
    const whole = { "family.phone": "declared", "family.address": "registered", "family.cause": "x" };
    expect(sentInput([input("choices")], { it: whole }, two).input).toEqual({
      it: { "family.phone": "declared", "family.address": "registered" },
    });
    expect(sentInput([input("choices")], { it: {} }, []).faults).toEqual({});
  });
});
