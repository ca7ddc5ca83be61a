// The map: shapes, labels that fit or shorten, flags that never overlap, levels and their colours.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PlaceRecord, Shape, Site } from "../src/contract/types";
import { drawnGates, drawnZones, frameOf, gateView, viewZones, type Scene } from "../src/site/compose";
import { viewFlows } from "../src/site/flows";
import { anchor, bounds, centred, fits, outline, overlap } from "../src/site/geometry";
import { placeFlags } from "../src/site/labels";
import { isAbnormal, isNotableQueue, levelOf, type Level } from "../src/site/los";
import { markId } from "../src/site/places";
import { neighbour } from "../src/site/walk";
import { CATALOGUES } from "../src/words/catalogue";
import { placeName } from "../src/words/places";
import { Speech } from "../src/words/speech";
import { SITES } from "../e2e/mock/site.mjs";

const CASABLANCA = SITES[0] as unknown as Site;
const record = (more: Partial<PlaceRecord> = {}): PlaceRecord => ({ kind: "zone", zone: "z", from: 0, to: 1, ...more });

const brightness = ([r = 0, g = 0, b = 0]: number[]) => 0.21 * r + 0.72 * g + 0.07 * b;

describe("geometry", () => {
  const north: Shape = {
    ...{ kind: "arc", cx: 500, cy: 400, rx0: 100, ry0: 80, rx1: 200, ry1: 160 },
    ...{ from_deg: -105, to_deg: -75 },
  };

  test("minus ninety degrees is twelve o'clock", () => {
    const [x, y] = anchor(north);
    expect(x).toBeCloseTo(500);
    expect(y).toBeCloseTo(400 - 120);
  });

  test("an arc's outline closes and its bounds hold its anchor", () => {
    expect(outline(north)).toMatch(/^M.*Z$/u);
    expect(overlap(bounds(north), centred(anchor(north), 1, 1))).toBe(true);
  });

  test("a label fits where there is room and not where there is none", () => {
    expect(fits(north, 40, 40)).toBe(true);
    expect(fits(north, 40, 90)).toBe(false);
    expect(fits({ kind: "box", x: 0, y: 0, w: 50, h: 20 }, 51, 10)).toBe(false);
    expect(fits({ kind: "ellipse", cx: 0, cy: 0, rx: 50, ry: 20 }, 99, 20)).toBe(false);
  });

  test("the anchor of a bent polygon lies inside it", () => {
    const bent: Shape = {
      kind: "polygon",
      points: [
        [0, 0],
        [100, 0],
        [100, 20],
        [20, 20],
        [20, 100],
        [0, 100],
      ],
    };
    const [x, y] = anchor(bent);
    expect(x < 20 || y < 20).toBe(true);
    expect(fits(bent, 10, 10)).toBe(true);
  });

  test("arrow keys go to the nearest place in their direction", () => {
    const places = [
      { id: "here", at: [0, 0] as [number, number] },
      { id: "right", at: [50, 5] as [number, number] },
      { id: "far", at: [90, 0] as [number, number] },
      { id: "up", at: [3, -40] as [number, number] },
    ];
    expect(neighbour(places, "here", "ArrowRight")).toBe("right");
    expect(neighbour(places, "here", "ArrowUp")).toBe("up");
    expect(neighbour(places, "here", "ArrowLeft")).toBeNull();
  });
});

describe("levels", () => {
  test("a place without data is blind, never calm", () => {
    expect(levelOf(undefined)).toBe("blind");
    expect(levelOf(record({ coverage: 0, los: { table: "queue", grade: "A" } }))).toBe("blind");
    expect(levelOf(record({ coverage: 1 }))).toBe("blind");
  });

  test("a head count without a table is ungraded", () => {
    expect(levelOf(record({ coverage: 1, occupancy: { v: 4 } }))).toBe("ungraded");
  });

  test("colour begins at D, and lightness rises from A to F", () => {
    expect((["A", "B", "C", "D", "E", "F"] as Level[]).map(isAbnormal)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
    const theme = readFileSync(join(import.meta.dirname, "../src/theme.css"), "utf8");
    const channels = (level: string) =>
      (new RegExp(`--level-${level}: #(..)(..)(..)`, "u").exec(theme) ?? []).slice(1).map((hex) => parseInt(hex, 16));
    const lightness = "abcdef".split("").map((l) => brightness(channels(l)));
    expect([...lightness].sort((a, b) => a - b)).toEqual(lightness);
    const hue = (level: string) => Math.max(...channels(level)) - Math.min(...channels(level));
    expect(Math.max(hue("a"), hue("b"), hue("c"))).toBeLessThan(20);
    expect(Math.min(hue("d"), hue("e"), hue("f"))).toBeGreaterThan(50);
  });

  test("a queue is worth a flag when its level or its wait says so", () => {
    expect(isNotableQueue(record({ queue: { v: 30 }, wait_s: { v: 60 } }), "B")).toBe(false);
    expect(isNotableQueue(record({ queue: { v: 30 }, wait_s: { v: 700 } }), "B")).toBe(true);
    expect(isNotableQueue(record({ queue: { v: 900 } }), "E")).toBe(true);
    expect(isNotableQueue(record(), "E")).toBe(false);
  });

  test("a gate's queue is marked at its gate", () => {
    expect(markId(CASABLANCA, "queue-g12")).toBe("g12");
    expect(markId(CASABLANCA, "forecourt-n1")).toBe("forecourt-n1");
    expect(markId(CASABLANCA, "into-g12")).toBe("into-g12");
  });

  test("the word of a kind is said in the console's language", () => {
    const words = CATALOGUES.fr(new Speech("fr", "UTC"));
    expect(placeName(words, { id: "g12", name: "Gate 12", kind: "gate" })).toBe("Porte 12");
    expect(placeName(words, { id: "x", name: "Bab Marrakech", kind: "gate" })).toBe("Bab Marrakech");
  });
});

describe.each([0.66, 1.05])("labels of a full site at %d pixels per unit", (scale) => {
  const say = new Speech("en", "UTC");
  const busy = record({
    coverage: 1,
    occupancy: { v: 4_321 },
    density: { v: 3.2 },
    los: { table: "queue", grade: "E" },
  });
  const gate = record({ ...busy, queue: { v: 1_420 }, wait_s: { v: 1_560 } });
  const places = [...CASABLANCA.zones, ...CASABLANCA.links].map((p) => p.id);
  const scene: Scene = {
    site: CASABLANCA,
    records: new Map(places.map((id) => [id, id.startsWith("g") ? gate : busy])),
    alarmsAt: () => [],
    say,
    words: CATALOGUES.en(say),
    scale,
  };
  const zones = viewZones(scene, drawnZones(CASABLANCA));

  test("no two zone labels overlap", () => {
    const boxes = zones.filter((z) => z.id !== "bowl").map((z) => z.label.box);
    const clashes = boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => overlap(a, b)));
    expect(clashes).toEqual([]);
  });

  test("every zone says at least its letter", () => {
    expect(zones.every((z) => z.label.lines[0]?.text !== "")).toBe(true);
  });

  test("with all 36 gates notable, no flag covers a flag or a zone's label", () => {
    const gates = drawnGates(CASABLANCA, () => false).map((g) => gateView(scene, g));
    const taken = zones.map((z) => z.label.box);
    const flags = gates.map((g) => ({ id: g.id, at: g.at, text: g.flag ?? "", marked: false, weight: g.weight }));
    const placed = placeFlags(flags, [500, 425], taken, frameOf(CASABLANCA), scale);
    expect(placed.length).toBeGreaterThan(8);
    for (const [i, a] of placed.entries()) {
      expect(taken.some((box) => overlap(a.box, box))).toBe(false);
      expect(placed.slice(i + 1).some((b) => overlap(a.box, b.box))).toBe(false);
    }
  });
});

describe("flows", () => {
  const zone = (id: string, x: number) => ({
    id,
    name: id,
    kind: "plaza",
    shape: { kind: "box", x, y: 0, w: 10, h: 10 },
  });
  const way = (id: string, kind = "open") => ({ id, name: id, kind, from: "west", to: "east", at: [15, 5] });
  const site = {
    ...{ id: "s", zones: [zone("west", 0), zone("east", 20)] },
    links: [way("a"), way("b"), way("c"), way("gate", "gate"), way("blind")],
  } as unknown as Site;
  const flow = (id: string, there: number, back: number, coverage = 1) =>
    [id, record({ kind: "link", zone: id, flow: there, backward_flow: back, coverage })] as const;

  test("an arrow points where the greater part goes, and small ones beside a great one are left out", () => {
    const records = [
      flow("a", 30, 230),
      flow("b", 25, 0),
      flow("c", 40, 31),
      flow("gate", 300, 0),
      flow("blind", 300, 0, 0),
    ];
    const flows = viewFlows(site, new Map(records));
    expect(flows.map((f) => [f.id, f.net, f.share, Math.abs(f.deg)])).toEqual([["a", 200, 1, 180]]);
    expect(viewFlows(site, new Map(records.slice(1, 2))).map((f) => [f.id, f.deg])).toEqual([["b", 0]]);
    expect(viewFlows(site, new Map())).toEqual([]);
  });
});
