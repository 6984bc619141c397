import { describe, expect, it } from "vitest";
import { codeAt, levelOf, listedLevel, screenArea } from "./area";
import { formatRoute, HOME, inScope, parseRoute } from "./route";

describe("a reader's own area", () => {
  it("is where they are taken from anywhere else", () => {
    const at = (area: string): typeof HOME => ({ ...HOME, area });
    expect(inScope(at("14"), "141124").area).toBe("141124");
    expect(inScope(at("141125"), "141124").area).toBe("141124");
    expect(inScope(at("141124100"), "141124").area).toBe("141124100");
    expect(inScope(at("1411"), null).area).toBe("1411");
  });
});

describe("route", () => {
  it("is the province at home", () => {
    expect(parseRoute("")).toEqual(HOME);
    expect(formatRoute(HOME)).toBe("/");
  });
  it("comes back as it was written", () => {
    const route = { area: "1401", measure: "dibao", layer: "city", rank: "bottom" } as const;
    expect(parseRoute(formatRoute(route).slice(1))).toEqual(route);
  });
  it("keeps what is not its own", () => {
    expect(formatRoute({ ...HOME, area: "140105" }, { lang: "en" })).toBe("/?area=140105&lang=en");
  });
  it.each(["?area=xyz", "?area=14010", "?area=<b>&measure=a'b", "?layer=moon&rank=middle"])(
    "falls back on %s",
    (search) => expect(parseRoute(search)).toEqual(HOME),
  );
});

describe("areas", () => {
  it("knows the levels by their digits", () => {
    expect(["14", "1401", "140105", "140105001", "140105001001"].map(levelOf)).toEqual([
      "province", "city", "county", "township", "village",
    ]);
    expect(levelOf("140")).toBeNull();
    expect(codeAt("140105001", "city")).toBe("1401");
  });
  it("shows a village on its township's screen", () => {
    expect(screenArea("140105001001")).toBe("140105001");
  });
  it("lists counties or cities of the province", () => {
    expect(listedLevel("province", "county")).toBe("county");
    expect(listedLevel("province", "city")).toBe("city");
    expect(listedLevel("township", "county")).toBe("village");
  });
});
