// A strip plot: the page's scores for the questions that it answers above, for the look-alikes below. Those that fool the model are ringed.
import { byId, make } from "../dom.js";
import { strings } from "../strings.js";
import { countFooled, fools, type Group } from "./groups.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 560;
const HEIGHT = 148;
const MARGIN = { left: 12, right: 12 };
const LANES = { positive: 34, negative: 84 };
const AXIS = 112;

function draw(name: string, attributes: Record<string, string | number>, text?: string): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** About five round numbers that cover the range. */
function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? power * 10;
  const found: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) found.push(Math.round(tick * 1e6) / 1e6);
  return found;
}

export function showStrip(groups: readonly Group[]): void {
  const points = groups.flatMap((group) => [
    { kind: "positive" as const, score: group.positive.score, query: group.positive.query, fooled: false },
    ...group.negatives.map((negative) => ({ kind: "negative" as const, score: negative.score, query: negative.query, fooled: fools(negative) })),
  ]).filter((point): point is typeof point & { score: number } => typeof point.score === "number" && Number.isFinite(point.score));
  byId("plot").hidden = points.length === 0;
  if (points.length === 0) return;
  const scores = points.map(({ score }) => score);
  const [low, high] = [Math.min(...scores) - 0.5, Math.max(...scores) + 0.5];
  const x = (score: number): number => MARGIN.left + (WIDTH - MARGIN.left - MARGIN.right) * (score - low) / (high - low);

  const negatives = points.filter(({ kind }) => kind === "negative").length;
  const svg = draw("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "strip", role: "img",
    "aria-label": strings.plotLabel(points.length - negatives, negatives, countFooled(groups)),
  });
  for (const [kind, y] of Object.entries(LANES)) {
    svg.append(draw("line", { x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y, y2: y, class: "lane" }));
    svg.append(draw("text", { x: MARGIN.left, y: y - 16, class: `lane-name ${kind}` }, kind === "positive" ? strings.plotPositive : strings.plotNegative));
  }
  for (const tick of ticks(low, high)) {
    svg.append(draw("line", { x1: x(tick), x2: x(tick), y1: LANES.positive, y2: AXIS, class: "grid" }));
    svg.append(draw("text", { x: x(tick), y: AXIS + 16, class: "tick" }, String(tick)));
  }
  // Where a cross-encoder begins to call a page relevant.
  if (low < 0 && high > 0) svg.append(draw("line", { x1: x(0), x2: x(0), y1: LANES.positive - 10, y2: AXIS, class: "zero" }));
  svg.append(draw("text", { x: WIDTH - MARGIN.right, y: HEIGHT - 4, class: "axis" }, strings.plotAxis));
  for (const { kind, score, query, fooled } of points) {
    const point = draw("circle", { cx: x(score), cy: LANES[kind], r: 5.5, class: `point ${kind}${fooled ? " fooled" : ""}` });
    point.append(draw("title", {}, `${query} (${score.toFixed(2)}${fooled ? `, ${strings.plotFooled}` : ""})`));
    svg.append(point);
  }
  const margins = groups.flatMap((group) => group.negatives).flatMap(({ margin }) => margin ?? []).sort((one, other) => one - other);
  const relevant = points.filter(({ kind, score }) => kind === "negative" && score > 0).length;
  const told = negatives - countFooled(groups);
  const summary = make("p", "plot-summary", strings.plotSummary(told, negatives, relevant, margins[Math.floor(margins.length / 2)] ?? 0));
  byId("plot-box").replaceChildren(summary, svg);
}
