// Drawing a trend with uPlot: one solid line up to the truth line, from there a band and a dashed middle, and the lines it is
// watched against. Colours are read from theme.css; axis and labels come in as functions, already in the language in force.
import uPlot from "uplot";
import type { Line, Trend } from "./series";

export interface Captions {
  /** `fine` when ticks are closer than a tenth. */
  value: (v: number, fine: boolean) => string;
  time: (t: number) => string;
  line: (line: Line) => string;
  until: string;
  /** Axis ticks are set from here: kick-off, or the hour. */
  origin: number;
  kickOff: number | null;
}

const MINUTE = 60_000;
const PAST = 120 * MINUTE;
const FUTURE = 36 * MINUTE;
const TICK = 30 * MINUTE;
/** A line this many times above everything else would flatten the curve; it is left to the sentence below the figure. */
const FAR = 5;

export function draw(element: HTMLElement, trend: Trend, captions: Captions, width: number, height: number): uPlot {
  const ink = palette(element);
  const from = Math.max(trend.now - PAST, Math.min(trend.measured[0]?.t ?? trend.now, trend.now - 30 * MINUTE));
  const to = trend.now + FUTURE;
  const top = ceiling(trend);
  const axis = { stroke: ink("--ink-3"), font: font(11, ink), ticks: { show: false }, border: { show: false } };
  const options: uPlot.Options = {
    width,
    height,
    padding: [18, 26, 0, 0],
    cursor: { show: true, x: true, y: false, drag: { x: false, y: false }, points: { show: false } },
    legend: { show: false },
    scales: { x: { time: false, range: [from, to] }, y: { range: [0, top] } },
    axes: [
      {
        ...axis,
        size: 26,
        grid: { show: false },
        splits: () => ticks(from, to, captions.origin, width < 430 ? 2 * TICK : TICK),
        values: (_, splits) => splits.map(captions.time),
      },
      {
        ...axis,
        size: 54,
        grid: { stroke: ink("--edge"), width: 1 },
        values: (_, splits) => splits.map((v) => captions.value(v, closer(splits))),
      },
    ],
    series: [
      {},
      { stroke: ink("--ink"), width: 2.2, points: { show: false } },
      { stroke: ink("--forecast"), width: 2, dash: [6, 4], points: { show: false } },
      { width: 0, points: { show: false } },
      { width: 0, points: { show: false } },
    ],
    bands: [{ series: [4, 3], fill: ink("--forecast-band") }],
    hooks: { draw: [(plot) => annotate(plot, trend, captions, top, ink)] },
  };
  return new uPlot(options, columns(trend), element);
}

function columns(trend: Trend): uPlot.AlignedData {
  const times = [...new Set([...trend.measured.map((p) => p.t), ...trend.forecast.map((s) => s.t)])].sort(
    (a, b) => a - b,
  );
  const measured = new Map(trend.measured.map((p) => [p.t, p.v]));
  const steps = new Map(trend.forecast.map((s) => [s.t, s]));
  return [
    times,
    times.map((t) => measured.get(t) ?? null),
    times.map((t) => steps.get(t)?.mid ?? null),
    times.map((t) => steps.get(t)?.lo ?? null),
    times.map((t) => steps.get(t)?.hi ?? null),
  ];
}

function ceiling(trend: Trend): number {
  const highest = Math.max(1e-9, ...trend.measured.map((p) => p.v), ...trend.forecast.map((s) => s.hi));
  const near = trend.lines.map((l) => l.value).filter((v) => v <= highest * FAR);
  return Math.max(highest, ...near, 0.1) * 1.12;
}

function ticks(from: number, to: number, origin: number, every: number): number[] {
  const first = Math.ceil((from - origin) / every);
  const last = Math.floor((to - origin) / every);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => origin + (first + i) * every);
}

function closer(splits: number[]): boolean {
  return splits.length > 1 && (splits[1] ?? 0) - (splits[0] ?? 0) < 0.1;
}

function annotate(plot: uPlot, trend: Trend, captions: Captions, top: number, ink: (name: string) => string): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const x = (t: number) => plot.valToPos(t, "x", true);
  const y = (v: number) => plot.valToPos(v, "y", true);
  const vertical = (at: number, colour: string, dash: number[]) => {
    ctx.strokeStyle = colour;
    ctx.setLineDash(dash.map((d) => d * ratio));
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
  };
  ctx.save();
  ctx.lineWidth = ratio;
  ctx.textBaseline = "alphabetic";
  ctx.font = font(11 * ratio, ink);
  if (captions.kickOff !== null) {
    const at = x(captions.kickOff);
    if (at > bbox.left && at < bbox.left + bbox.width) vertical(at, ink("--edge-strong"), [2, 4]);
  }
  let written = Infinity;
  for (const line of [...trend.lines].filter((l) => l.value <= top).sort((a, b) => b.value - a.value)) {
    const colour = ink(line.kind === "expected" ? "--ink-3" : "--limit");
    const at = y(line.value);
    ctx.strokeStyle = colour;
    ctx.setLineDash(line.kind === "limit" ? [8 * ratio, 4 * ratio] : []);
    ctx.beginPath();
    ctx.moveTo(bbox.left, at);
    ctx.lineTo(bbox.left + bbox.width, at);
    ctx.stroke();
    const below = written < Infinity && at - written < 15 * ratio;
    ctx.textAlign = "start";
    ctx.fillStyle = colour;
    ctx.fillText(captions.line(line), bbox.left + 4 * ratio, below ? at + 13 * ratio : at - 4 * ratio);
    written = below ? at + 13 * ratio : at;
  }
  const now = x(trend.now);
  vertical(now, ink("--ink-2"), []);
  ctx.fillStyle = ink("--ink");
  ctx.textAlign = "end";
  ctx.fillText(captions.until, now - 5 * ratio, bbox.top - 6 * ratio);
  ctx.restore();
}

function palette(element: HTMLElement): (name: string) => string {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(name).trim();
}

function font(size: number, ink: (name: string) => string): string {
  return `${size}px ${ink("--font")}`;
}
