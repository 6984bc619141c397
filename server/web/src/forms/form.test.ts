import { describe, expect, it } from "vitest";
import { birthOf, checkValue, isDay, isIdNumber, plainId, sexOf } from "./check";
import { askedFields, begun, faultsOf, fitting, meets, named, readForm, sectionsOf } from "./form";

const label = (zh: string): { zh: string; en: string } => ({ zh, en: zh });

const FORM = readForm({
  name: "try",
  label: label("试"),
  blocks: [
    {
      name: "aid",
      label: label("事项"),
      fields: [
        { name: "kind", kind: "code", list: "aid", label: label("类别"), required: true },
        {
          name: "urgent", kind: "long_text", label: label("困难"), required: true,
          when: { field: "kind", is: ["temporary"] },
        },
      ],
    },
    {
      name: "members",
      label: label("成员"),
      section: label("家庭"),
      repeats: true,
      adds: true,
      min: 1,
      unique: ["name"],
      any_of: [["birth_date", "age"]],
      fields: [
        { name: "name", kind: "text", label: label("姓名"), required: true },
        { name: "birth_date", kind: "date", label: label("生日") },
        { name: "age", kind: "int", max: 150, label: label("年龄") },
        { name: "severe", kind: "flag", label: label("重病") },
        { name: "signed", kind: "text", label: label("授权") },
      ],
    },
    {
      name: "members",
      label: label("健康"),
      section: label("家庭"),
      repeats: true,
      min: 1,
      fields: [
        {
          name: "illness", kind: "text", label: label("病"), required: true,
          when: { field: "severe", is: [true] },
        },
      ],
    },
    {
      name: "income",
      label: label("收入"),
      when: { field: "aid.kind", is: ["dibao", "tekun"] },
      fields: [{ name: "wages12", kind: "money", label: label("工资"), required: true }],
    },
  ],
  lists: { aid: [["dibao", "低保", "Dibao"], ["tekun", "特困"], [1]] },
});

const part = (at: number) => {
  const found = FORM.parts[at];
  if (!found) throw new Error(`no part ${at}`);
  return found;
};

describe("conditions", () => {
  it("ask a part by another block's answer", () => {
    const keys = (kind: unknown) => sectionsOf(FORM, { aid: { kind } }).map(({ key }) => key);
    expect(keys("dibao")).toEqual(["aid-0", "members-1", "income-3"]);
    expect(keys("temporary")).toEqual(["aid-0", "members-1"]);
    expect(keys(undefined)).toEqual(["aid-0", "members-1"]);
  });
  it("ask a field by its own entry", () => {
    const answers = { members: [{ severe: true }, { severe: false }, {}] };
    const asked = [0, 1, 2].map((entry) => askedFields(FORM, part(2), answers, entry).length);
    expect(asked).toEqual([1, 0, 0]);
  });
  it("are left out if the form does not ask what they name", () => {
    expect(meets(FORM, { field: "family.urban", is: [true] }, {}, "aid", null)).toBe(true);
    expect(meets(FORM, { field: "kind", is: ["dibao"] }, {}, "aid", null)).toBe(false);
  });
});

describe("a form", () => {
  it("puts parts of one heading together and never asks what the platform fills", () => {
    expect(sectionsOf(FORM, {})[1]?.parts.map(({ key }) => key)).toEqual(["members-1", "members-2"]);
    expect(part(1).fields.map(({ name }) => name)).not.toContain("signed");
    expect([part(1).leads, part(2).leads]).toEqual([true, false]);
  });
  it("begins with the least entries", () => {
    expect(begun(FORM, {})).toEqual({ aid: {}, members: [{}], income: {} });
    expect(begun(FORM, { members: [{ name: "甲" }] })["members"]).toEqual([{ name: "甲" }]);
  });
  it("names what a path leads to, in whichever part asks it", () => {
    expect(named(FORM, "members[3].illness")).toMatchObject({ entry: 3, part: { key: "members-2" } });
    expect(named(FORM, "members[0].name")?.part.key).toBe("members-1");
    expect(named(FORM, "members")).toMatchObject({ entry: null, field: null });
    expect(named(FORM, "elsewhere.x")).toBeNull();
  });
  it("brings its lists, without rows that are none", () => {
    expect(FORM.lists["aid"]).toEqual([["dibao", "低保", "Dibao"], ["tekun", "特困", "特困"]]);
  });
  it("takes over of other answers only what it asks", () => {
    const other = {
      aid: { kind: "dibao", other: 1 }, members: [{ name: "甲", phone: "1", illness: "" }], more: {},
    };
    expect(fitting(FORM, other)).toEqual({ aid: { kind: "dibao" }, members: [{ name: "甲" }] });
  });
  it("reads nonsense as a form without parts", () => {
    for (const raw of [null, 1, "x", [], { blocks: "no" }]) expect(readForm(raw).parts).toEqual([]);
  });
});

describe("faults", () => {
  const paths = (at: number, answers: Record<string, unknown>) =>
    faultsOf(FORM, part(at), answers).map(({ path, code }) => `${path} ${code}`);
  it("stand at the field that lacks an answer", () => {
    expect(paths(0, { aid: {} })).toEqual(["aid.kind required"]);
    expect(paths(0, { aid: { kind: "temporary" } })).toEqual(["aid.urgent required"]);
    expect(paths(0, { aid: { kind: "dibao" } })).toEqual([]);
  });
  it("want one of two answers", () => {
    expect(paths(1, { members: [{ name: "甲" }] })).toEqual(["members[0].birth_date any_of"]);
    expect(paths(1, { members: [{ name: "甲", age: 60 }] })).toEqual([]);
    expect(paths(1, { members: [{ name: "甲", age: 160 }] })).toEqual(["members[0].age max"]);
  });
  it("want somebody at all, once", () => {
    expect(paths(1, { members: [] })).toEqual(["members entries"]);
    expect(paths(2, { members: [] })).toEqual([]);
  });
  it("see who is entered twice", () => {
    const member = { name: "甲", age: 1 };
    expect(paths(1, { members: [member, member, { name: "乙", age: 1 }] })).toEqual([
      "members[1].name twice",
    ]);
  });
  it("want one head of the household, who lives in it", () => {
    const form = readForm({
      blocks: [
        {
          name: "members", repeats: true, adds: true, min: 1,
          fields: [{ name: "relation", kind: "code" }, { name: "obligor", kind: "flag" }],
        },
      ],
    });
    const [members] = form.parts;
    if (!members) throw new Error("no part");
    const codes = (...list: object[]) =>
      faultsOf(form, members, { members: list }).map(({ code }) => code);
    expect(codes({ relation: "02" }, { relation: "10" })).toEqual([]);
    expect(codes({ relation: "10" })).toEqual(["head"]);
    expect(codes({ relation: "02" }, { relation: "02" })).toEqual(["heads"]);
    expect(codes({ relation: "02" }, { relation: "02", obligor: true })).toEqual([]);
  });
  it("want a place of the right depth", () => {
    const form = readForm({
      blocks: [{ name: "family", digits: [12], fields: [{ name: "region", kind: "region" }] }],
    });
    const [family] = form.parts;
    if (!family) throw new Error("no part");
    const codes = (region: string) =>
      faultsOf(form, family, { family: { region } }).map(({ code }) => code);
    expect(codes("140105")).toEqual(["village"]);
    expect(codes("140105001001")).toEqual([]);
  });
  it("want only what is asked", () => {
    expect(paths(2, { members: [{ severe: true }, {}] })).toEqual(["members[0].illness required"]);
  });
});

describe("values", () => {
  it("of ID numbers: shape, birthday and check sign", () => {
    expect(isIdNumber("99910119491231000X")).toBe(true);
    expect(isIdNumber("999101194912310001")).toBe(false);
    expect(isIdNumber("99910119490231000X")).toBe(false);
    expect(isIdNumber("9991011949123100")).toBe(false);
    expect(birthOf("99910119491231000X")).toBe("1949-12-31");
    expect(sexOf("99910119491231000X")).toBe("2");
    expect(plainId(" ９９９１０１ 19491231 000x ")).toBe("99910119491231000X");
  });
  it("of days that exist", () => {
    expect(isDay("2024-02-29")).toBe(true);
    expect(isDay("2023-02-29")).toBe(false);
    expect(isDay("2024-2-9")).toBe(false);
  });
  it.each([
    ["phone", "13800000000", null],
    ["phone", "0358-1234567", "phone"],
    ["phone", "1380000000", "phone"],
    ["bank", "6217000012345678", null],
    ["bank", "62170000", "bank"],
    ["bank", "**** 1234", null],
    ["money", 12, null],
    ["money", 1.5, "money"],
    ["money", -1, "money"],
    ["text", "太长了", "max"],
  ] as const)("%s %s", (kind, value, code) => {
    expect(checkValue(kind, value, null, kind === "text" ? 2 : null)).toBe(code);
  });
});
