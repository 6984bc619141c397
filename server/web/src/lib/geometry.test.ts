import { describe, expect, it } from "vitest";
import type { FeatureCollection } from "geojson";
import { cell, toCsv } from "./csv";
import { boundaries, chartMap, outline } from "./geometry";

const RING = [[0, 0], [2, 0], [2, 1], [0, 1], [0, 0]];
const LAYER: FeatureCollection = {
  type: "FeatureCollection",
  features: ["140105", "140202"].map((code) => ({
    type: "Feature",
    properties: { code, name: `名${code}`, centroid: [1, 0.5] },
    geometry: { type: "Polygon", coordinates: [RING] },
  })),
};

describe("boundaries", () => {
  it("takes those within the area and names them by code", () => {
    const found = boundaries(LAYER, "county", "1401");
    expect(found.map((each) => each.code)).toEqual(["140105"]);
    expect(chartMap(found).features[0]!.properties).toMatchObject({ name: "140105", cp: [1, 0.5] });
  });
  it("fits an outline into its box", () => {
    const shape = outline([RING], 100);
    expect(shape.width).toBeCloseTo(100);
    expect(shape.path.startsWith("M0.0 ")).toBe(true);
    expect(outline([], 10).path).toBe("");
  });
});

describe("csv", () => {
  it("quotes, and keeps texts from being formulas", () => {
    expect(cell('a"b,c')).toBe('"a""b,c"');
    expect(cell("=1+1")).toBe("'=1+1");
    expect(cell("-5")).toBe("-5");
    expect(toCsv([["a", "b"]])).toBe("\uFEFFa,b\r\n");
  });
});
