// One chart from its data; colours and type come from the page, so the big screen's dark ones do too. A click goes where the table's row goes.
import { BarChart, LineChart, MapChart, PieChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import { init, registerMap, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, MapChart, PieChart, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent, SVGRenderer]);
const SHADES = ["#e6edf7", "#bfd0e8", "#8aa7d0", "#4a71ac", "#143f7d"];
const SHADES_DARK = ["#1b3a6b", "#27548f", "#3f78bd", "#6ea3e6", "#b5d3ff"];
const COLOURS = ["--blue", "#7c9cc9", "#b0752a", "#4f8a6d", "#8a6fae", "#5c687c", "#c28f8a", "#2f6fd0"];

export async function drawChart(box, told) {
  const style = getComputedStyle(box), read = (name) => style.getPropertyValue(name).trim();
  const font = { fontFamily: read("--sans"), fontSize: parseFloat(style.fontSize) * 0.87, color: read("--ink-3") };
  const look = { font, read, dark: box.closest(".screen") !== null, small: box.clientWidth < (box.closest(".screen") ? 560 : 420), colours: COLOURS.map((one) => (one.startsWith("--") ? read(one) : one)) };
  const chart = init(box, null, { renderer: "svg" });
  const make = { bar: columns, line: lines, trend, pie, map }[told.kind];
  chart.setOption({ animation: false, textStyle: font, color: look.colours, tooltip: tooltip(told, look), ...(await make(told, look)) });
  chart.on("click", ({ dataIndex, data }) => {
    const link = data?.link ?? told.links?.[dataIndex];
    if (link) location.assign(link);
  });
  new ResizeObserver(() => chart.resize()).observe(box);
}

const said = (value, unit) => (value === null || value === undefined || Number.isNaN(value) ? "无" : `${value.toLocaleString("zh-CN")}${unit ? ` ${unit}` : ""}`);

function tooltip(told, look) {
  return { trigger: told.kind === "pie" || told.kind === "map" ? "item" : "axis", confine: true, renderMode: "richText", borderColor: look.read("--line-2"), textStyle: { ...look.font, color: "#18212f" }, valueFormatter: (value) => said(value, told.unit) };
}

const grid = { left: 4, right: 16, top: 36, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" };
const legend = (told, look) => ({ show: told.series.length > 1, top: 0, left: 0, itemWidth: 14, itemHeight: 8, textStyle: look.font });
const values = (look) => ({ type: "value", splitLine: { lineStyle: { color: look.read("--line") } }, axisLabel: look.font });
const names = (labels, look, more = {}) => ({ type: "category", data: labels, axisTick: { show: false }, axisLine: { lineStyle: { color: look.read("--line-2") } }, axisLabel: { ...look.font, hideOverlap: true, ...more } });

/** Many groups, or long names, lie down: their names need room. */
function columns(told, look) {
  const lying = !told.upright && (told.labels.length > 6 || told.labels.some((label) => label.length > 5));
  const series = told.series.map((one) => ({ name: one.name, type: "bar", barMaxWidth: 28, data: lying ? [...one.values].reverse() : one.values }));
  if (!lying) return { grid, legend: legend(told, look), xAxis: names(told.labels, look), yAxis: values(look), series };
  told.links = [...told.links].reverse();
  return { grid: { ...grid, right: 40 }, legend: legend(told, look), xAxis: { ...values(look), splitNumber: 3 }, yAxis: names([...told.labels].reverse(), look, { width: look.small ? 90 : 130, overflow: "truncate" }), series };
}

function lines(told, look) {
  const series = told.series.map((one) => ({ name: one.name, type: "line", symbolSize: 6, data: one.values }));
  return { grid, legend: legend(told, look), xAxis: names(told.labels, look), yAxis: values(look), series };
}

function trend(told, look) {
  const last = told.labels.length - 1;
  const series = told.series.map((one) => one.past
    ? { name: one.name, type: "line", symbol: "none", lineStyle: { color: look.read("--ink-2"), width: 1.5 }, itemStyle: { color: look.read("--ink-2") }, data: one.values }
    : { name: one.name, type: "bar", barWidth: "54%", data: one.values.map((value, at) => ({ value, itemStyle: { color: at === last ? look.read("--blue") : look.dark ? "#3d639e" : "#a9bfdf" } })) });
  return { grid: { ...grid, top: 12 }, xAxis: names(told.labels, look), yAxis: values(look), series };
}

function pie(told, look) {
  const [one] = told.series;
  const data = told.labels.map((name, at) => ({ name, value: one.values[at], link: told.links[at] })).filter((part) => part.value);
  const label = { ...look.font, color: look.read("--ink-2"), formatter: "{b} {d}%" };
  return { series: [{ type: "pie", radius: ["38%", "68%"], label: { ...label, show: !look.small }, data }], legend: { show: look.small, type: "scroll", bottom: 0, textStyle: look.font } };
}

async function map(told, look) {
  const { default: outline } = await import("echarts4/map/json/province/shanghai.json");
  const nameOf = new Map(outline.features.map((one) => [one.id, one.properties.name]));
  registerMap("shanghai", outline);
  const data = told.areas.map((area) => ({ name: nameOf.get(area.code) ?? area.title, value: area.value ?? NaN, link: area.link }));
  return {
    visualMap: { type: "piecewise", left: 0, top: 8, itemWidth: 18, itemHeight: 12, itemGap: 6, textStyle: look.font, pieces: pieces(data.map((one) => one.value), look.dark ? SHADES_DARK : SHADES) },
    series: [{
      name: told.name, type: "map", map: "shanghai", top: 4, bottom: 8, left: 10, right: 10, data, select: { disabled: true },
      label: { show: !look.small, ...look.font, fontSize: look.dark ? 14 : 12, color: look.dark ? "#fff" : "#18212f", textBorderColor: look.dark ? "#0a1e3f" : "#fff", textBorderWidth: 2.5, formatter: ({ name }) => name.replace(/(新区|区)$/, "") },
      labelLayout: { hideOverlap: true }, itemStyle: { borderColor: look.dark ? "#7fa3d6" : "#fff", borderWidth: look.dark ? 0.8 : 1.2, areaColor: look.dark ? "#10264b" : "#f1f3f6" },
      emphasis: { label: { show: true, color: "#18212f" }, itemStyle: { areaColor: "#b7cae6", borderColor: look.read("--ink"), borderWidth: 2 } },
    }],
  };
}

/** Up to five ranges of equal width with round ends, the largest first. */
function pieces(all, shades) {
  const most = Math.max(1, ...all.filter((value) => !Number.isNaN(value)));
  const rough = most / shades.length, power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(most <= 5 ? 1 : 0, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough));
  const found = shades.map((color, at) => ({ gte: at * step, lt: (at + 1) * step, label: `${+(at * step).toFixed(2)}—${+((at + 1) * step).toFixed(2)}`, color }));
  found[shades.length - 1] = { gte: (shades.length - 1) * step, label: `${+((shades.length - 1) * step).toFixed(2)} 以上`, color: shades.at(-1) };
  return found.reverse();
}
