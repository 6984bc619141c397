import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("window", { location: { search: "" } });
const { parsePlace, placePath } = await import("./route");

describe("the address of a staff page", () => {
  it.each([
    "/work", "/work/cases/AP-1", "/work/cases/AP-1/print", "/work/households/H%2F1",
    "/work/report", "/work/payments", "/work/accounts", "/work/journal", "/work/transfers",
  ])("%s is read and written alike", (path) => {
    expect(placePath(parsePlace(path))).toBe(path);
  });

  it.each(["/work/", "/work/nonsense", "/work/cases", "/work/cases/%E0%A4%A"])(
    "%s does not break",
    (path) => expect(parsePlace(path)).toBeDefined(),
  );
});
