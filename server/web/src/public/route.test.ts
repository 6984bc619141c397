import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("window", {
  location: { pathname: "/public", search: "", origin: "http://127.0.0.1" },
  addEventListener: () => undefined,
});
const { addressOf, placeOf } = await import("./route");

describe("a place of the public's page", () => {
  it.each([
    ["/public", []],
    ["/public/", []],
    ["/public/cases/A%2F1", ["cases", "A/1"]],
    ["/public/apply/dibao/", ["apply", "dibao"]],
    ["/public/%E0%A4%A", ["%E0%A4%A"]],
    ["/elsewhere", []],
  ])("%s", (path, parts) => expect(placeOf(path, "").parts).toEqual(parts));
  it("keeps what was asked", () => {
    expect(placeOf("/public/invited", "?code=AB").query.get("code")).toBe("AB");
  });
  it("has an address", () => {
    expect(addressOf("/")).toBe("/public");
    expect(addressOf("/cases/1")).toBe("/public/cases/1");
  });
});
