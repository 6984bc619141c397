// The parts of the chart library that the page uses, and nothing else of it.

import { BarChart, LineChart, LinesChart, ScatterChart } from "echarts/charts";
import { GeoComponent, GridComponent, TooltipComponent } from "echarts/components";
import { init, registerMap, use, type EChartsType } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

use([
  BarChart, CanvasRenderer, GeoComponent, GridComponent, LabelLayout, LineChart, LinesChart,
  ScatterChart, TooltipComponent,
]);

export { init, registerMap };
export type { EChartsType };

export const FONT =
  '"Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif';

/** A chart that follows the size of its element until it is closed. */
export function openChart(element: HTMLElement): { chart: EChartsType; close: () => void } {
  const chart = init(element);
  const observer = new ResizeObserver(() => chart.resize());
  observer.observe(element);
  const close = (): void => {
    observer.disconnect();
    chart.dispose();
  };
  return { chart, close };
}

/** Grey hatching for areas without data. */
export function hatch(ground: string, line: string): { image: HTMLCanvasElement; repeat: "repeat" } {
  const image = document.createElement("canvas");
  image.width = 8;
  image.height = 8;
  const context = image.getContext("2d");
  if (context) {
    context.fillStyle = ground;
    context.fillRect(0, 0, 8, 8);
    context.strokeStyle = line;
    context.lineWidth = 1;
    context.beginPath();
    for (const offset of [-8, 0, 8]) {
      context.moveTo(offset, 8);
      context.lineTo(offset + 8, 0);
    }
    context.stroke();
  }
  return { image, repeat: "repeat" };
}
