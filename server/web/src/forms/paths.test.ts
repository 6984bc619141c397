import { describe, expect, it } from "vitest";
import {
  blockOf, entryOf, formatPath, isEmpty, isWithin, parsePath, valueAt, withoutEntry, withValue,
} from "./paths";

describe("paths", () => {
  it.each([
    ["family.address", ["family", "address"]],
    ["members[1].id_number", ["members", 1, "id_number"]],
    ["members", ["members"]],
    ["members[0]", ["members", 0]],
  ])("%s comes back as it was written", (path, steps) => {
    expect(parsePath(path)).toEqual(steps);
    expect(formatPath(steps)).toBe(path);
  });
  it.each(["", ".a", "a..b", "a[", "a[x]", "[0]", "a b", "a[1000]", "a[200].b", "__proto__.x", "a.constructor"])(
    "'%s' is no path",
    (path) => expect(parsePath(path)).toBeNull(),
  );
  it("tells block and entry", () => {
    expect(blockOf("members[2].name")).toBe("members");
    expect(entryOf("members[2].name")).toBe(2);
    expect(entryOf("family.address")).toBeNull();
  });
  it("tells what lies within what", () => {
    expect(isWithin("members[1].name", "members[1]")).toBe(true);
    expect(isWithin("members[1].name", "members")).toBe(true);
    expect(isWithin("members[11].name", "members[1]")).toBe(false);
    expect(isWithin("family.phone2", "family.phone")).toBe(false);
  });
});

describe("answers", () => {
  const answers = { family: { urban: false }, members: [{ name: "甲" }, { name: "乙" }] };
  it("are read by path", () => {
    expect(valueAt(answers, "members[1].name")).toBe("乙");
    expect(valueAt(answers, "members[2].name")).toBeUndefined();
    expect(valueAt(answers, "members.name")).toBeUndefined();
    expect(valueAt(answers, "family.toString")).toBeUndefined();
  });
  it("are never changed in place", () => {
    const fresh = withValue(answers, "members[1].name", "丙");
    expect(valueAt(fresh, "members[1].name")).toBe("丙");
    expect(valueAt(answers, "members[1].name")).toBe("乙");
    expect(fresh["family"]).toBe(answers.family);
  });
  it("make their way where there was none", () => {
    expect(withValue({}, "members[1].age", 5)).toEqual({ members: [{}, { age: 5 }] });
  });
  it("lose an answer that is taken away", () => {
    expect(withValue(answers, "family.urban", undefined)["family"]).toEqual({});
  });
  it("lose one entry", () => {
    expect(withoutEntry(answers, "members", 0)["members"]).toEqual([{ name: "乙" }]);
    expect(withoutEntry(answers, "family", 0)).toBe(answers);
  });
  it("know what is empty: no and nought are not", () => {
    expect([undefined, null, "", []].every(isEmpty)).toBe(true);
    expect([false, 0, "0", ["a"]].some(isEmpty)).toBe(false);
  });
});
