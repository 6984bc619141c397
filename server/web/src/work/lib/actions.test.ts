import { describe, expect, it } from "vitest";
import type { Action, Case } from "../../lib/case-wire";
import { openTransfers, transfersOf, withChoices } from "./actions";

const warning = {
  facts: {
    measures: [
      { code: "transfer_medical", department: "medical_insurance", text: "报销", on: "2026-11-02" },
      { code: "watch", department: null },
      { code: "transfer_medical", department: "medical_insurance" },
      { code: "transfer_education", department: "education" },
    ],
    replies: [{ measure: 1, answer: "decline", reason: "已报销", at: "2026-11-03T09:00:00" }],
    objections: [{ text: "有车", on: "2026-11-01" }, { text: "有房", on: "2026-11-02" }],
    settled: [{ objection: 1, finding: "车已报废", upheld: false }],
  },
} as unknown as Case;

const action = (name: string, input: string): Action => ({
  name,
  label: { zh: "", en: "" },
  tone: "plain",
  input: [{ name: input, kind: "text", label: { zh: "序号", en: "number" }, required: false }],
});

describe("numbers that stand for something", () => {
  it("each measure has the answer of its department", () => {
    expect(transfersOf(warning).map((each) => [each.number, each.answer])).toEqual([
      [1, "decline"], [2, null], [3, null], [4, null],
    ]);
    expect(openTransfers(warning, "medical_insurance").map((each) => each.number)).toEqual([3]);
    expect(openTransfers(warning, null).map((each) => each.number)).toEqual([3, 4]);
  });

  it("a department chooses among what was sent to it and is not answered", () => {
    const who = { department: "education" } as Parameters<typeof withChoices>[2];
    const got = withChoices(action("reply", "measure"), warning, who, (code) => code);
    expect(got.input[0]).toMatchObject({
      kind: "code", required: true, options: [["4", "transfer_education", "transfer_education"]],
    });
  });

  it("an objection is chosen by what it says", () => {
    const got = withChoices(action("settle", "objection"), warning, null, (code) => code);
    expect(got.input[0]?.options).toEqual([["2", "有房", "有房"]]);
  });

  it("other inputs stay as they are", () => {
    const other = action("close", "measure");
    expect(withChoices(other, warning, null, (code) => code)).toEqual(other);
  });
});
