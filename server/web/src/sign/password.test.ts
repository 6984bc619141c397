import { describe, expect, it } from "vitest";
import { homeOf, safeNext } from "../lib/session";
import type { Account } from "../lib/case-wire";
import { rulesOf } from "./password";

describe("a new password", () => {
  it.each([
    ["Ab1!xyzw", { length: true, classes: true, login: true }],
    ["abcdefgh", { length: true, classes: false, login: true }],
    ["Ab1!", { length: false, classes: true, login: true }],
    ["Worker7-Ab", { length: true, classes: true, login: false }],
    ["", { length: false, classes: false, login: false }],
  ])("%s", (password, rules) => expect(rulesOf(password, "worker7")).toEqual(rules));
});

describe("where one goes after signing in", () => {
  it.each(["/work/cases/1", "/public?lang=en", "/", "/work#/accounts"])("%s is ours", (next) =>
    expect(safeNext(next)).toBe(next),
  );
  it.each([
    "https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere",
    "javascript:alert(1)", "", null, "/sign?next=/sign", "/api/v1/session",
  ])("%s is not", (next) => expect(safeNext(next)).toBeNull());
  it("goes by role", () => {
    const home = (role: Account["role"]) => homeOf({ role } as Account);
    expect(home("citizen")).toBe("/public");
    expect([home("province"), home("city"), home("county")]).toEqual(["/", "/", "/"]);
    expect([home("township"), home("village"), home("department")]).toEqual(["/work", "/work", "/work"]);
    expect(home("audit_admin")).toBe("/work#/accounts");
  });
});
