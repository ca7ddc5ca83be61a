// The trend of one measure of one place as plain columns: what was measured up to the truth line, the forecast from that line on,
// the lines it is compared with, and where the forecast crosses them. Pure; the drawing is elsewhere.
import type { Alarm, Estimate, HistoryPoint, PlaceRecord } from "../contract/types";

export type Measure = "occupancy" | "density" | "flow" | "queue";

export const MEASURES: Measure[] = ["occupancy", "density", "flow", "queue"];

export interface Line {
  kind: "capacity" | "limit" | "expected";
  value: number;
}

export interface Step {
  t: number;
  lo: number;
  mid: number;
  hi: number;
}

export interface Trend {
  measured: { t: number; v: number }[];
  forecast: Step[];
  lines: Line[];
  /** The truth line: nothing to its right is measured. */
  now: number;
  value: Estimate | null;
}

export interface About {
  points: HistoryPoint[];
  record: PlaceRecord | undefined;
  /** The end of the last closed pane. */
  now: number;
  area: number | null;
  capacity: number | null;
  expected: number | null;
  alarm: Alarm | null;
}

const WHAT: Record<Measure, string[]> = {
  occupancy: ["occupancy"],
  density: ["density"],
  flow: ["flow_in", "arrivals_per_min"],
  queue: ["queue"],
};

export function trendOf(measure: Measure, about: About): Trend {
  const measured = about.points
    .map((point) => ({ t: point.t, v: pointValue(measure, point) }))
    .filter((p): p is { t: number; v: number } => p.v !== null && p.t <= about.now)
    .sort((a, b) => a.t - b.t);
  const value = recordValue(measure, about.record);
  const last = measured[measured.length - 1];
  if (value && (!last || last.t < about.now)) measured.push({ t: about.now, v: value.v });
  const start = measured[measured.length - 1];
  return {
    measured,
    forecast: forecastOf(measure, about, start?.v ?? null),
    lines: linesOf(measure, about),
    now: about.now,
    value: value ?? (start ? { v: start.v } : null),
  };
}

/** The measures of which there is anything to show. */
export function available(about: About): Measure[] {
  return MEASURES.filter((measure) => trendOf(measure, about).measured.length > 0);
}

/** The measure that an alarm of this code is about. */
export function natural(code: string | undefined, kind: string): Measure {
  if (code?.startsWith("DENS")) return "density";
  if (code?.startsWith("QUEUE")) return "queue";
  if (code === "ANOMALY") return "flow";
  return kind === "gate" ? "queue" : "occupancy";
}

export interface Crossing {
  line: Line;
  how: "above" | "middle" | "upper" | "none";
  at: number | null;
}

/** When the forecast crosses the nearest line that it is watched against. */
export function crossing(trend: Trend): Crossing | null {
  const line = trend.lines.find((l) => l.kind !== "expected");
  if (!line || !trend.value) return null;
  if (trend.value.v >= line.value) return { line, how: "above", at: trend.now };
  if (trend.forecast.length < 2) return null;
  const middle = firstCrossing(trend.forecast, (s) => s.mid, line.value);
  if (middle !== null) return { line, how: "middle", at: middle };
  const upper = firstCrossing(trend.forecast, (s) => s.hi, line.value);
  return upper === null ? { line, how: "none", at: null } : { line, how: "upper", at: upper };
}

function firstCrossing(steps: Step[], value: (step: Step) => number, limit: number): number | null {
  for (let i = 1; i < steps.length; i++) {
    const [a, b] = [steps[i - 1] as Step, steps[i] as Step];
    if (value(a) < limit && value(b) >= limit) {
      return a.t + ((b.t - a.t) * (limit - value(a))) / (value(b) - value(a));
    }
  }
  return null;
}

function pointValue(measure: Measure, point: HistoryPoint): number | null {
  switch (measure) {
    case "occupancy":
      return point.occupancy?.v ?? null;
    case "density":
      return point.density ?? null;
    case "flow":
      return point.in ?? null;
    case "queue":
      return point.queue ?? null;
  }
}

function recordValue(measure: Measure, record: PlaceRecord | undefined): Estimate | null {
  switch (measure) {
    case "occupancy":
      return record?.occupancy ?? null;
    case "density":
      return record?.density ?? null;
    case "flow":
      return record?.flow == null ? null : { v: record.flow };
    case "queue":
      return record?.queue ?? null;
  }
}

/** Forecasts of `in` are persons in the step that ends at that horizon; the history is by minute, so they are too. Density follows from the head count. */
function forecastOf(measure: Measure, about: About, start: number | null): Step[] {
  const perArea = measure === "density" && about.area ? 1 / about.area : null;
  const what = measure === "density" ? "occupancy" : measure === "flow" ? "in" : measure;
  const steps = (about.record?.forecast ?? []).filter((s) => s.what === what).sort((a, b) => a.h_s - b.h_s);
  const stepMinutes = (steps[0]?.h_s ?? 60) / 60;
  const factor = measure === "density" ? perArea : measure === "flow" ? 1 / stepMinutes : 1;
  if (steps.length === 0 || start === null || factor === null) return [];
  const origin: Step = { t: about.now, lo: start, mid: start, hi: start };
  const ahead = steps.map((s) => ({
    t: about.now + s.h_s * 1_000,
    lo: s.q10 * factor,
    mid: s.q50 * factor,
    hi: s.q90 * factor,
  }));
  return [origin, ...ahead];
}

function linesOf(measure: Measure, about: About): Line[] {
  const lines: Line[] = [];
  const evidence = about.alarm?.evidence ?? [];
  for (const e of evidence) {
    if (e.threshold == null) continue;
    if (WHAT[measure].includes(e.what)) lines.push({ kind: "limit", value: e.threshold });
    if (measure === "occupancy" && e.what === "occupancy_share" && about.capacity) {
      lines.push({ kind: "limit", value: e.threshold * about.capacity });
    }
  }
  if (measure === "occupancy") {
    if (about.capacity) lines.push({ kind: "capacity", value: about.capacity });
    if (about.expected) lines.push({ kind: "expected", value: about.expected });
  }
  if (measure === "flow") {
    const measured = about.record?.capacity_per_min ?? evidence.find((e) => e.what === "capacity_per_min")?.value;
    if (measured != null) lines.push({ kind: "capacity", value: measured });
  }
  return lines;
}
