// The shapes of the schematic: their outline as an SVG path, the point where a label belongs and whether a label of a given
// size fits there. Angles are degrees, clockwise, -90 at twelve o'clock; y grows downwards, as on the canvas of the site file.
import type { Shape } from "../contract/types";

export type Point = [number, number];

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

type Arc = Extract<Shape, { kind: "arc" }>;

export function outline(shape: Shape): string {
  switch (shape.kind) {
    case "box":
      return `M${shape.x} ${shape.y}h${shape.w}v${shape.h}h${-shape.w}Z`;
    case "polygon":
      return `M${shape.points.map(written).join("L")}Z`;
    case "ellipse":
      return ring(shape.cx, shape.cy, shape.rx, shape.ry);
    case "arc":
      return sector(shape);
  }
}

export function anchor(shape: Shape): Point {
  switch (shape.kind) {
    case "box":
      return [shape.x + shape.w / 2, shape.y + shape.h / 2];
    case "ellipse":
      return [shape.cx, shape.cy];
    case "arc":
      return onEllipse(shape.cx, shape.cy, middle(shape).rx, middle(shape).ry, middle(shape).deg);
    case "polygon":
      return deepest(shape.points);
  }
}

/** Whether an upright block of `w` by `h` around the anchor stays inside the shape. */
export function fits(shape: Shape, w: number, h: number): boolean {
  switch (shape.kind) {
    case "box":
      return w <= shape.w && h <= shape.h;
    case "ellipse":
      return (w / 2 / shape.rx) ** 2 + (h / 2 / shape.ry) ** 2 <= 1;
    case "arc":
      return fitsArc(shape, w, h);
    case "polygon": {
      const [x, y] = deepest(shape.points);
      return corners({ x: x - w / 2, y: y - h / 2, w, h }).every((corner) => inside(shape.points, corner));
    }
  }
}

export function bounds(shape: Shape): Box {
  switch (shape.kind) {
    case "box":
      return { x: shape.x, y: shape.y, w: shape.w, h: shape.h };
    case "ellipse":
      return { x: shape.cx - shape.rx, y: shape.cy - shape.ry, w: 2 * shape.rx, h: 2 * shape.ry };
    case "polygon":
      return around(shape.points);
    case "arc": {
      const steps = Array.from({ length: 13 }, (_, i) => shape.from_deg + ((shape.to_deg - shape.from_deg) * i) / 12);
      return around([
        ...steps.map((deg) => onEllipse(shape.cx, shape.cy, shape.rx1, shape.ry1, deg)),
        ...steps.map((deg) => onEllipse(shape.cx, shape.cy, shape.rx0, shape.ry0, deg)),
      ]);
    }
  }
}

/** The smallest box that holds all of these. */
export function union(boxes: Box[]): Box {
  return around(boxes.flatMap(corners));
}

export function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

export function grown(box: Box, by: number): Box {
  return { x: box.x - by, y: box.y - by, w: box.w + 2 * by, h: box.h + 2 * by };
}

export function centred(at: Point, w: number, h: number): Box {
  return { x: at[0] - w / 2, y: at[1] - h / 2, w, h };
}

function onEllipse(cx: number, cy: number, rx: number, ry: number, deg: number): Point {
  const angle = (deg * Math.PI) / 180;
  return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
}

function sector(arc: Arc): string {
  const sweep = arc.to_deg - arc.from_deg;
  if (Math.abs(sweep) >= 360) {
    const hole = arc.rx0 > 0 ? ring(arc.cx, arc.cy, arc.rx0, arc.ry0) : "";
    return ring(arc.cx, arc.cy, arc.rx1, arc.ry1) + hole;
  }
  const large = Math.abs(sweep) > 180 ? 1 : 0;
  const turn = sweep > 0 ? 1 : 0;
  const at = (rx: number, ry: number, deg: number) => written(onEllipse(arc.cx, arc.cy, rx, ry, deg));
  return (
    `M${at(arc.rx0, arc.ry0, arc.from_deg)}` +
    `L${at(arc.rx1, arc.ry1, arc.from_deg)}` +
    `A${arc.rx1} ${arc.ry1} 0 ${large} ${turn} ${at(arc.rx1, arc.ry1, arc.to_deg)}` +
    `L${at(arc.rx0, arc.ry0, arc.to_deg)}` +
    `A${arc.rx0} ${arc.ry0} 0 ${large} ${1 - turn} ${at(arc.rx0, arc.ry0, arc.from_deg)}Z`
  );
}

function ring(cx: number, cy: number, rx: number, ry: number): string {
  return `M${cx - rx} ${cy}a${rx} ${ry} 0 1 1 ${2 * rx} 0a${rx} ${ry} 0 1 1 ${-2 * rx} 0Z`;
}

function middle(arc: Arc): { rx: number; ry: number; deg: number } {
  return { rx: (arc.rx0 + arc.rx1) / 2, ry: (arc.ry0 + arc.ry1) / 2, deg: (arc.from_deg + arc.to_deg) / 2 };
}

/** An arc is taken as a rectangle turned to its middle angle; that is true enough for segments of up to a sixth of the ring. */
function fitsArc(arc: Arc, w: number, h: number): boolean {
  const { rx, ry, deg } = middle(arc);
  const inner = onEllipse(0, 0, arc.rx0, arc.ry0, deg);
  const outer = onEllipse(0, 0, arc.rx1, arc.ry1, deg);
  const from = onEllipse(0, 0, rx, ry, arc.from_deg);
  const to = onEllipse(0, 0, rx, ry, arc.to_deg);
  const depth = Math.hypot(outer[0] - inner[0], outer[1] - inner[1]);
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const radial = Math.atan2(outer[1] - inner[1], outer[0] - inner[0]);
  const cos = Math.abs(Math.cos(radial));
  const sin = Math.abs(Math.sin(radial));
  return w * cos + h * sin <= depth && w * sin + h * cos <= length;
}

/** The point of a polygon that is farthest from its edges, to a sixteenth of its size. */
function deepest(points: Point[]): Point {
  const box = around(points);
  const steps = 16;
  let best: Point = [box.x + box.w / 2, box.y + box.h / 2];
  let depth = -Infinity;
  for (let i = 1; i < steps; i++) {
    for (let j = 1; j < steps; j++) {
      const candidate: Point = [box.x + (box.w * i) / steps, box.y + (box.h * j) / steps];
      if (!inside(points, candidate)) continue;
      const reach = distanceToEdges(points, candidate);
      if (reach > depth) [best, depth] = [candidate, reach];
    }
  }
  return best;
}

function distanceToEdges(points: Point[], [px, py]: Point): number {
  return Math.min(
    ...edges(points).map(([[ax, ay], [bx, by]]) => {
      const along = (px - ax) * (bx - ax) + (py - ay) * (by - ay);
      const t = Math.max(0, Math.min(1, along / ((bx - ax) ** 2 + (by - ay) ** 2 || 1)));
      return Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay));
    }),
  );
}

function inside(points: Point[], [px, py]: Point): boolean {
  const crossings = edges(points).filter(
    ([[ax, ay], [bx, by]]) => ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax,
  );
  return crossings.length % 2 === 1;
}

function edges(points: Point[]): [Point, Point][] {
  return points.map((point, i) => [point, points[(i + 1) % points.length] as Point]);
}

function corners(box: Box): Point[] {
  return [
    [box.x, box.y],
    [box.x + box.w, box.y],
    [box.x, box.y + box.h],
    [box.x + box.w, box.y + box.h],
  ];
}

function around(points: Point[]): Box {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}

function written([x, y]: Point): string {
  return `${Math.round(x * 100) / 100} ${Math.round(y * 100) / 100}`;
}
