import { describe, expect, it } from "vitest";
import type { Fault } from "../lib/case-wire";
import { homeless, mended, standing } from "./faults";
import { readForm } from "./form";

const fault = (path: string, code: string): Fault => ({ path, code, zh: code, en: code });
const words = (faults: Fault[]): string[] => faults.map(({ path, code }) => `${path} ${code}`);

const FORM = readForm({
  blocks: [
    { name: "family", fields: [{ name: "phone", kind: "phone" }] },
    { name: "members", repeats: true, adds: true, fields: [{ name: "name", kind: "text" }] },
  ],
});

describe("faults beside their fields", () => {
  const told = [fault("family.phone", "phone"), fault("members[1].name", "required")];
  it("stand until the answer is changed", () => {
    expect(words(standing(told, [], new Set()))).toEqual(["family.phone phone", "members[1].name required"]);
    expect(words(standing(told, [], new Set(["family.phone"])))).toEqual(["members[1].name required"]);
  });
  it("are the server's where both found one, and the page's again after a change", () => {
    const own = [fault("family.phone", "required"), fault("members[0].name", "required")];
    expect(words(standing(told, own, new Set()))).toEqual([
      "family.phone phone", "members[1].name required", "members[0].name required",
    ]);
    expect(words(standing(told, own, new Set(["family.phone"])))).toEqual([
      "members[1].name required", "family.phone required", "members[0].name required",
    ]);
  });
  it("without a field are told apart", () => {
    const all = [...told, fault("members", "head"), fault("elsewhere.x", "unknown"), fault("?", "kind")];
    expect(words(homeless(FORM, all))).toEqual(["members head", "elsewhere.x unknown", "? kind"]);
  });
  it("go when they are mended; what was not shown waits until it is asked for", () => {
    const own = [fault("family.phone", "required"), fault("members", "head")];
    const found = [fault("members", "head"), fault("members[0].name", "required")];
    expect(words(mended(own, found, "family.phone"))).toEqual(["members head"]);
    expect(words(mended(own, [fault("family.phone", "phone")], "family.phone"))).toEqual([]);
  });
});
