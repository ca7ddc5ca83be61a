// What is written where on the map. Sizes are screen pixels turned into canvas units by the scale of the moment, so text never
// shrinks below what can be read: a zone says as much as fits inside it, down to its letter; figures of queues look for a free
// spot outwards of their gate and are left out when there is none. What carries an alarm is placed first and always placed.
import type { Shape } from "../contract/types";
import { anchor, centred, fits, overlap, type Box, type Point } from "./geometry";

export type Weight = "letter" | "strong" | "name" | "figure";

export interface Line {
  text: string;
  weight: Weight;
}

export interface ZoneLabel {
  at: Point;
  box: Box;
  lines: Line[];
}

export const SIZE: Record<Weight, number> = { letter: 15, strong: 20, name: 12, figure: 12.5 };
/** Widths of an average character in ems, on the wide side: bold is wider. */
const WIDTH: Record<Weight, number> = { letter: 0.72, strong: 0.68, name: 0.66, figure: 0.62 };
const LEADING = 1.18;
const MARGIN = 5;
export const MARK = 26;

/** Which is the fullest of `variants` that fits into the shape at this scale (pixels per unit); else the last and shortest. */
export function fullest(shape: Shape, variants: Line[][], marked: boolean, scale: number): number {
  const found = variants.findIndex((lines) => {
    const { w, h } = block(lines, marked, scale);
    return fits(shape, w + MARGIN / scale, h + MARGIN / scale);
  });
  return found < 0 ? variants.length - 1 : found;
}

export function labelZone(shape: Shape, lines: Line[], marked: boolean, scale: number): ZoneLabel {
  const at = anchor(shape);
  const { w, h } = block(lines, marked, scale);
  return { at, box: centred(at, w, h), lines };
}

export interface Flag {
  id: string;
  at: Point;
  text: string;
  marked: boolean;
  weight: number;
}

export interface PlacedFlag extends Flag {
  box: Box;
}

/** Finds a free spot for each flag, heaviest first: outwards from `centre`, then sideways, then inwards. */
export function placeFlags(flags: Flag[], centre: Point, taken: Box[], frame: Box, scale: number): PlacedFlag[] {
  const placed: PlacedFlag[] = [];
  for (const flag of [...flags].sort((a, b) => Number(b.marked) - Number(a.marked) || b.weight - a.weight)) {
    const spots = spotsFor(flag, centre, scale).filter((spot) => contains(frame, spot));
    const others = placed.map((p) => p.box);
    const open = spots.filter((spot) => ![...taken, ...others].some((box) => overlap(box, spot)));
    const free = open.find((spot) => !covers(flag.at, spot, taken)) ?? open[0];
    const forced = flag.marked ? spots.find((spot) => !others.some((box) => overlap(box, spot))) : undefined;
    const box = free ?? forced;
    if (box) placed.push({ ...flag, box });
  }
  return placed;
}

export function textWidth(text: string, weight: Weight, scale: number): number {
  return (text.length * SIZE[weight] * WIDTH[weight]) / scale;
}

export function lineHeight(weight: Weight, scale: number): number {
  return (SIZE[weight] * LEADING) / scale;
}

function block(lines: Line[], marked: boolean, scale: number): { w: number; h: number } {
  const widths = lines.map((line) => textWidth(line.text, line.weight, scale));
  const heights = lines.map((line) => lineHeight(line.weight, scale));
  const mark = marked ? MARK / scale : 0;
  const first = (widths[0] ?? 0) + mark;
  return {
    w: Math.max(first, ...widths.slice(1)),
    h: Math.max(
      heights.reduce((sum, h) => sum + h, 0),
      mark,
    ),
  };
}

function spotsFor(flag: Flag, centre: Point, scale: number): Box[] {
  const w = textWidth(flag.text, "figure", scale) + ((flag.marked ? MARK : 0) + 10) / scale;
  const h = 22 / scale;
  const dx = flag.at[0] - centre[0];
  const dy = flag.at[1] - centre[1];
  const length = Math.hypot(dx, dy) || 1;
  const base = Math.atan2(dy / length, dx / length);
  const spots: Box[] = [];
  for (const distance of [20, 32, 46, 62, 80, 104, 132, 164]) {
    for (const turn of [0, 0.35, -0.35, 0.7, -0.7, 1.1, -1.1, 1.6, -1.6, Math.PI]) {
      const angle = base + turn;
      const reach = distance / scale + (Math.abs(Math.cos(angle)) * w) / 2;
      spots.push(centred([flag.at[0] + Math.cos(angle) * reach, flag.at[1] + Math.sin(angle) * reach], w, h));
    }
  }
  return spots;
}

/** Whether the tie from the gate to its flag would run over something written. */
function covers(from: Point, to: Box, taken: Box[]): boolean {
  const end: Point = [to.x + to.w / 2, to.y + to.h / 2];
  const points = Array.from({ length: 9 }, (_, i): Point => {
    const t = (i + 3) / 12;
    return [from[0] + (end[0] - from[0]) * t, from[1] + (end[1] - from[1]) * t];
  });
  return points.some((p) => taken.some((box) => overlap(box, centred(p, 1, 1)) && !overlap(box, centred(from, 1, 1))));
}

function contains(frame: Box, box: Box): boolean {
  return (
    box.x >= frame.x && box.y >= frame.y && box.x + box.w <= frame.x + frame.w && box.y + box.h <= frame.y + frame.h
  );
}
