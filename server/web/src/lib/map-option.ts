// The chart library's description of a choropleth: regions, outlines over them, names.

import { FONT, hatch } from "./charts";
import { lookOf, NO_DATA_COLOR, NO_DATA_LINE, type Class } from "./classes";
import { ASPECT, type Boundary } from "./geometry";
import type { Scale } from "./scale";
import type { AreaRow } from "./screen";

export interface MapPicture {
  map: string;
  rows: readonly AreaRow[];
  shapes: readonly Boundary[];
  outlines: readonly Boundary[];
  classes: readonly Class[];
  scale: Scale;
  /** The whole province: many small regions, so cities are named instead of counties. */
  whole: boolean;
  tooltip: (code: string) => HTMLElement;
}

const INK = "#10243f";

function regions(picture: MapPicture): object[] {
  const blank = hatch(NO_DATA_COLOR, NO_DATA_LINE);
  const byCode = new Map(picture.rows.map((row) => [row.code, row]));
  return picture.shapes.map(({ code }) => {
    const look = lookOf(picture.classes, byCode.get(code)?.value ?? null);
    return {
      name: code,
      itemStyle: { areaColor: look.state === "no_data" ? blank : look.color },
    };
  });
}

/** What stands on each area: its name and value, or on the whole province only a 0 where it is 0. */
function areaNames(picture: MapPicture, named: boolean): object {
  const byCode = new Map(picture.rows.map((row) => [row.code, row]));
  const data = picture.shapes.flatMap(({ code, name, centroid }) => {
    const value = byCode.get(code)?.value ?? null;
    const text = named ? `${name}\n${picture.scale.text(value)}` : value === 0 ? "0" : "";
    if (text === "" || !centroid) return [];
    const look = lookOf(picture.classes, value);
    const ink = look.state === "no_data" ? INK : look.ink;
    const halo = ink === INK ? "rgba(255,255,255,0.8)" : "rgba(70,15,8,0.6)";
    const label = { formatter: text, color: ink, textBorderColor: halo, textBorderWidth: 2 };
    return [{ name: code, value: centroid, label }];
  });
  return {
    type: "scatter",
    coordinateSystem: "geo",
    silent: true,
    z: 6,
    symbolSize: 0.01,
    itemStyle: { opacity: 1 },
    label: { show: true, fontFamily: FONT, fontSize: 13, lineHeight: 16 },
    // Small districts lie close together: their names make room for each other.
    labelLayout: { moveOverlap: "shiftY" },
    data,
  };
}

function outlineLines(outlines: readonly Boundary[]): object {
  return {
    type: "lines",
    coordinateSystem: "geo",
    polyline: true,
    silent: true,
    z: 5,
    lineStyle: { color: "#3a2a24", width: 1.5, opacity: 0.8 },
    data: outlines.flatMap(({ rings }) => rings.map((coords) => ({ coords }))),
  };
}

function outlineNames(outlines: readonly Boundary[]): object {
  return {
    type: "scatter",
    coordinateSystem: "geo",
    silent: true,
    z: 6,
    symbolSize: 0.01,
    itemStyle: { opacity: 1 },
    label: {
      show: true,
      formatter: "{b}",
      color: INK,
      fontFamily: FONT,
      fontSize: 15,
      fontWeight: 700,
      textBorderColor: "rgba(255,255,255,0.92)",
      textBorderWidth: 3,
    },
    labelLayout: { hideOverlap: true },
    data: outlines.flatMap(({ name, centroid }) => (centroid ? [{ name, value: centroid }] : [])),
  };
}

/** The line around the area under the pointer, above everything else; none for `null`. */
export function litOption(shapes: readonly Boundary[], code: string | null): object {
  const shape = shapes.find((each) => each.code === code);
  return {
    id: "lit",
    type: "lines",
    coordinateSystem: "geo",
    polyline: true,
    silent: true,
    z: 7,
    lineStyle: { color: "#0a63d8", width: 3, opacity: 1 },
    data: (shape?.rings ?? []).map((coords) => ({ coords })),
  };
}

export function mapOption(picture: MapPicture): Record<string, unknown> {
  const named = picture.outlines.length === 0 || !picture.whole;
  const over = picture.outlines.length > 0 ? [outlineLines(picture.outlines)] : [];
  const names = named ? [] : [outlineNames(picture.outlines)];
  const texts = areaNames(picture, named);
  return {
    animation: false,
    tooltip: {
      show: true,
      trigger: "item",
      confine: true,
      backgroundColor: "#ffffff",
      borderColor: "#9db2cc",
      textStyle: { color: INK, fontFamily: FONT, fontSize: 14 },
    },
    geo: {
      map: picture.map,
      aspectScale: ASPECT,
      top: 10,
      bottom: 10,
      left: picture.whole ? 34 : 10,
      right: picture.whole ? 4 : 10,
      roam: false,
      selectedMode: false,
      label: { show: false },
      itemStyle: { borderColor: "#ffffff", borderWidth: 1 },
      emphasis: { itemStyle: { areaColor: "inherit" }, label: { show: false } },
      tooltip: {
        show: true,
        formatter: ({ name }: { name: string }) => picture.tooltip(name),
      },
      regions: regions(picture),
    },
    series: [...over, texts, ...names, litOption([], null)],
  };
}
