// The chart library's description of the money of twelve months, and how many received it.

import { FONT } from "./charts";
import type { Scale } from "./scale";
import type { MonthPoint } from "./screen";

interface Names {
  paid: string;
  people: string;
  persons: string;
}

const SOFT = "#4a5d78";
const PAID = "#6c9fd0";
const PEOPLE = "#a94f00";

function axis(name: string, color: string, show: (value: number) => string): object {
  return {
    type: "value",
    name,
    nameTextStyle: { color, fontSize: 12, fontWeight: 700, fontFamily: FONT },
    axisLabel: { color: SOFT, fontSize: 11, fontFamily: FONT, formatter: show },
    splitNumber: 3,
    splitLine: { lineStyle: { color: "#e7ecf3" } },
  };
}

function content(point: MonthPoint, money: Scale, count: (n: number) => string, names: Names): Node {
  const box = document.createElement("div");
  const lines = [
    point.month,
    `${names.paid} ${money.text(point.paid)} ${money.unit}`,
    `${names.people} ${point.people === null ? "—" : count(point.people)} ${names.persons}`,
  ];
  for (const text of lines) {
    const line = document.createElement("div");
    line.textContent = text;
    box.append(line);
  }
  return box;
}

export function monthsOption(
  points: readonly MonthPoint[],
  money: Scale,
  count: (n: number) => string,
  names: Names,
): Record<string, unknown> {
  const short = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
  const perUnit = Number(money.plain(1e12)) / 1e12;
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { top: 34, right: 46, bottom: 24, left: 46 },
    tooltip: {
      trigger: "axis",
      confine: true,
      axisPointer: { type: "shadow" },
      formatter: ([first]: { dataIndex: number }[]) => {
        const point = points[first?.dataIndex ?? -1];
        return point ? content(point, money, count, names) : "";
      },
    },
    xAxis: {
      type: "category",
      data: points.map((point) => `${Number(point.month.slice(5, 7))}`),
      axisTick: { show: false },
      axisLabel: { color: SOFT, fontSize: 11, interval: 0 },
      axisLine: { lineStyle: { color: "#9db2cc" } },
    },
    yAxis: [
      axis(`${names.paid} ${money.unit}`, "#2a6299", (value) => short.format(value)),
      { ...axis(`${names.people} ${names.persons}`, PEOPLE, (value) => short.format(value)),
        splitLine: { show: false } },
    ],
    series: [
      {
        type: "bar",
        name: names.paid,
        barMaxWidth: 18,
        itemStyle: { color: PAID },
        data: points.map((point) => (point.paid === null ? null : point.paid * perUnit)),
      },
      {
        type: "line",
        name: names.people,
        yAxisIndex: 1,
        symbolSize: 5,
        lineStyle: { color: PEOPLE, width: 2 },
        itemStyle: { color: PEOPLE },
        data: points.map((point) => point.people),
      },
    ],
  };
}
