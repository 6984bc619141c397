// Boundaries: the features of an area, their rings as lines, and an outline as an SVG path.

import type { Feature, FeatureCollection, Polygon, MultiPolygon, Position } from "geojson";
import { codeAt, within, type Level } from "./area";

export interface Boundary {
  code: string;
  name: string;
  centroid: Position | null;
  rings: Position[][];
  feature: Feature<Polygon | MultiPolygon>;
}

function ringsOf(geometry: Polygon | MultiPolygon): Position[][] {
  return geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat();
}

function isArea(feature: Feature): feature is Feature<Polygon | MultiPolygon> {
  return feature.geometry?.type === "Polygon" || feature.geometry?.type === "MultiPolygon";
}

/** The boundaries of a layer beneath an area, their codes cut to the layer's level. */
export function boundaries(layer: FeatureCollection, level: Level, area: string): Boundary[] {
  const found: Boundary[] = [];
  for (const feature of layer.features) {
    if (!isArea(feature)) continue;
    const code = codeAt(String(feature.properties?.["code"] ?? ""), level);
    if (!within(code, area) && !within(area, code)) continue;
    found.push({
      code,
      name: String(feature.properties?.["name"] ?? code),
      centroid: (feature.properties?.["centroid"] as Position | undefined) ?? null,
      rings: ringsOf(feature.geometry),
      feature,
    });
  }
  return found;
}

/** A map of these boundaries for the chart library, its regions named by code. */
export function chartMap(areas: readonly Boundary[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: areas.map(({ code, name, centroid, feature }) => ({
      type: "Feature",
      properties: centroid ? { name: code, label: name, cp: centroid } : { name: code, label: name },
      geometry: feature.geometry,
    })),
  };
}

export interface Outline {
  path: string;
  width: number;
  height: number;
}

/** Width of a degree of longitude against one of latitude in the middle of the province. */
export const ASPECT = 0.79;

/** Rings as an SVG path in a box whose greatest side is `side`; `frame` (their own points) fills it. */
export function outline(
  rings: readonly Position[][],
  side: number,
  frame: readonly Position[] = rings.flat(),
): Outline {
  const xs = frame.map((p) => (p[0] ?? 0) * ASPECT);
  const ys = frame.map((p) => p[1] ?? 0);
  if (frame.length === 0) return { path: "", width: side, height: side };
  const [left, right] = [least(xs), -least(xs.map((x) => -x))];
  const [bottom, top] = [least(ys), -least(ys.map((y) => -y))];
  const scale = side / Math.max(right - left, top - bottom);
  const place = (p: Position): string => {
    const x = ((p[0] ?? 0) * ASPECT - left) * scale;
    const y = (top - (p[1] ?? 0)) * scale;
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  const path = rings.map((ring) => `M${ring.map(place).join("L")}Z`).join("");
  return { path, width: (right - left) * scale, height: (top - bottom) * scale };
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Infinity);
}
