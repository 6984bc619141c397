import { describe, expect, it } from "vitest";
import { isNewWarning, readNotice } from "./notices";

describe("what the program reports", () => {
  const notice = { id: "W1", kind: "warning", state: "dispatched", region: "1411", text: { zh: "", en: "" } };

  it("is read if it is whole, and nothing otherwise", () => {
    expect(readNotice(JSON.stringify(notice))).toEqual(notice);
    for (const odd of ["", "{", "null", "[]", '{"id":1,"kind":"warning","state":"x"}']) {
      expect(readNotice(odd)).toBeNull();
    }
  });

  it("is a new warning only when somebody was just given one", () => {
    expect(isNewWarning(notice)).toBe(true);
    expect(isNewWarning({ ...notice, state: "signed" })).toBe(false);
    expect(isNewWarning({ ...notice, kind: "application", state: "dispatched" })).toBe(false);
  });
});
