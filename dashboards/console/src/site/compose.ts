// What the map says of each zone and gate at this moment, as plain data: level, lines to choose from, flags to place. The views
// only draw it.
import type { Alarm, Link, PlaceRecord, Shape, Site, Zone } from "../contract/types";
import type { Words } from "../words/catalogue";
import { placeName, shortName } from "../words/places";
import type { Speech } from "../words/speech";
import { bounds, union, type Box, type Point } from "./geometry";
import { fullest, labelZone, type Line, type ZoneLabel } from "./labels";
import { isAbnormal, isNotableQueue, levelOf, sensorAge, type Level } from "./los";
import { queueOf } from "./places";

export interface ZoneView {
  id: string;
  shape: Shape;
  level: Level;
  label: ZoneLabel;
  alarm: Alarm | null;
  spoken: string;
}

export interface GateView {
  id: string;
  at: Point;
  mark: string;
  level: Level;
  closed: boolean;
  alarm: Alarm | null;
  flag: string | null;
  weight: number;
  spoken: string;
}

export interface Scene {
  site: Site;
  records: Map<string, PlaceRecord>;
  alarmsAt: (place: string) => Alarm[];
  say: Speech;
  words: Words;
  /** Pixels per canvas unit. */
  scale: number;
}

/** From so many seconds on the silence of the sensors is why there are no data. */
const SILENT_S = 60;

type DrawnZone = Zone & { shape: Shape };
type DrawnGate = Link & { at: Point };

/** The part of the canvas that the site uses, with a margin. */
export function frameOf(site: Site): Box {
  const boxes = [
    ...drawnZones(site).map((z) => bounds(z.shape)),
    ...drawnGates(site, () => true).map((g) => pointBox(g.at)),
  ];
  for (const perimeter of site.perimeters) if (perimeter.shape) boxes.push(bounds(perimeter.shape));
  const all = boxes.length > 0 ? union(boxes) : { x: 0, y: 0, w: 1000, h: 840 };
  const margin = 10;
  return { x: all.x - margin, y: all.y - margin, w: all.w + 2 * margin, h: all.h + 2 * margin };
}

/** Zones with a shape, the largest first, so that what lies inside another is drawn on top of it. */
export function drawnZones(site: Site): DrawnZone[] {
  const drawn = site.zones.filter((zone): zone is DrawnZone => zone.shape != null);
  const size = (zone: DrawnZone) => bounds(zone.shape).w * bounds(zone.shape).h;
  return drawn.sort((a, b) => size(b) - size(a));
}

/** Gates always; doors, corridors and other ways only where they stand out, so that the map stays readable. */
export function drawnGates(site: Site, standsOut: (link: string) => boolean): DrawnGate[] {
  return site.links.filter(
    (link): link is DrawnGate => link.at != null && (link.kind === "gate" || standsOut(link.id)),
  );
}

/** Zones of one ring say equally much, so that the ring reads as one; the abnormal ones say as much as they can. */
export function viewZones(scene: Scene, zones: DrawnZone[]): ZoneView[] {
  const drafts = zones.map((zone) => draft(scene, zone));
  const least = new Map<string, number>();
  for (const d of drafts) if (isRing(d)) least.set(d.group, Math.max(least.get(d.group) ?? 0, d.fits));
  return drafts.map((d) => {
    const chosen = isRing(d) && !isAbnormal(d.level) ? (least.get(d.group) ?? d.fits) : d.fits;
    const lines = d.variants[Math.min(chosen, d.variants.length - 1)] ?? [];
    const label = labelZone(d.zone.shape, lines, d.alarm !== null, scene.scale);
    return { id: d.zone.id, shape: d.zone.shape, level: d.level, alarm: d.alarm, spoken: d.spoken, label };
  });
}

interface Draft {
  zone: DrawnZone;
  level: Level;
  alarm: Alarm | null;
  spoken: string;
  variants: Line[][];
  fits: number;
  group: string;
}

function draft(scene: Scene, zone: DrawnZone): Draft {
  const record = scene.records.get(zone.id);
  const level = levelOf(record);
  const alarm = scene.alarmsAt(zone.id)[0] ?? null;
  const name = placeName(scene.words, zone);
  const variants = level === "blind" ? blindLines(scene, zone, record) : levelLines(scene, zone, level, record);
  return {
    zone,
    level,
    alarm,
    spoken: spokenZone(scene, name, level, record),
    variants,
    fits: fullest(zone.shape, variants, alarm !== null, scene.scale),
    group: zone.kind,
  };
}

function isRing({ zone, level }: Draft): boolean {
  return zone.shape.kind === "arc" && level !== "blind";
}

export function gateView(scene: Scene, gate: DrawnGate): GateView {
  const { site, records, alarmsAt, say, words } = scene;
  const record = records.get(gate.id);
  const level = gateLevel(site, gate, records);
  const alarm = alarmsAt(gate.id)[0] ?? null;
  const queue = record?.queue?.v ?? null;
  const name = placeName(words, gate);
  const shown = alarm !== null || isNotableQueue(record, level);
  return {
    id: gate.id,
    at: gate.at,
    mark: shortName(gate) ?? "",
    level,
    closed: record?.lanes_open === 0,
    alarm,
    flag: shown ? queueText(record, say) : null,
    weight: queue ?? 0,
    spoken: queue === null ? words.site.gate(name) : words.site.gateQueue(name, say.persons(queue)),
  };
}

function spokenZone({ say, words }: Scene, name: string, level: Level, record: PlaceRecord | undefined): string {
  if (level === "blind") return words.site.zoneUnknown(name);
  if (level === "ungraded") return words.site.zoneUngraded(name, say.persons(record?.occupancy?.v ?? 0));
  return words.site.zone(name, level);
}

function gateLevel(site: Site, gate: Link, records: Map<string, PlaceRecord>): Level {
  const own = records.get(gate.id);
  const level = levelOf(own);
  if (level !== "blind" && level !== "ungraded") return level;
  const queue = queueOf(site, gate);
  const ofQueue = levelOf(queue === null ? undefined : records.get(queue));
  if (ofQueue !== "blind" && ofQueue !== "ungraded") return ofQueue;
  const seen = own && own.coverage !== 0 && (own.flow != null || own.in != null);
  return seen ? "ungraded" : "blind";
}

function queueText(record: PlaceRecord | undefined, say: Speech): string {
  if (record?.queue == null) return "";
  const persons = say.persons(record.queue.v);
  const wait = record.wait_s?.v ?? 0;
  return wait >= 60 ? `${persons} · ${say.duration(Math.max(90, wait))}` : persons;
}

function levelLines(scene: Scene, zone: DrawnZone, level: Level, record: PlaceRecord | undefined): Line[][] {
  const { say, words } = scene;
  const density = record?.density == null ? null : say.number(record.density.v, 1);
  const persons = record?.occupancy == null ? null : say.persons(record.occupancy.v);
  const capacity = zone.capacity ? say.persons(zone.capacity) : null;
  const full = persons !== null && capacity !== null ? words.site.inside(persons, capacity) : persons;
  const name = placeName(words, zone);
  const short = shortName(zone);
  if (level === "ungraded") {
    const share = zone.capacity && record?.occupancy ? say.percent(record.occupancy.v / zone.capacity) : null;
    return countLines(persons ?? "", capacity === null ? "" : words.site.ofCapacity(capacity), share, name);
  }
  const letter: Line = { text: level, weight: isAbnormal(level) ? "strong" : "letter" };
  const perArea = density === null ? null : words.units.density(density);
  const figure = (text: string): Line => ({ text, weight: "figure" });
  const named = (text: string): Line => ({ text, weight: "name" });
  if (short !== null && zone.shape.kind === "arc") {
    return [[letter, figure(joined(short, density ?? persons))], [letter, figure(short)], [letter]];
  }
  const variants = [
    [letter, named(name), figure(joined(perArea, full))],
    [letter, named(name), figure(perArea ?? persons ?? "")],
    [letter, ...wrapped(name).map(named), figure(density ?? "")],
    [letter, named(name)],
    ...(short === null ? [] : [[letter, named(short)]]),
    [letter, figure(density ?? "")],
    [letter],
  ];
  return variants.map(written);
}

/** A name on several lines, unless a line would be a bare letter, which would be read as a level. */
function wrapped(name: string): string[] {
  const words = name.split(" ");
  return words.every((word) => word.length > 1) ? words : [name];
}

function countLines(persons: string, of: string, share: string | null, name: string): Line[][] {
  const strong: Line = { text: persons, weight: "strong" };
  const count: Line = { text: persons, weight: "name" };
  const variants: Line[][] = [
    [strong, { text: of, weight: "figure" }, { text: name, weight: "name" }],
    [{ text: name, weight: "figure" }, count],
    [{ text: share ?? persons, weight: "name" }],
  ];
  return variants.map(written);
}

function written(lines: Line[]): Line[] {
  return lines.filter((line) => line.text !== "");
}

function blindLines(scene: Scene, zone: DrawnZone, record: PlaceRecord | undefined): Line[][] {
  const { say, words } = scene;
  const age = sensorAge(record);
  const why = age !== null && age >= SILENT_S ? words.site.noDataFor(say.duration(age)) : words.site.noData;
  const name = placeName(words, zone);
  return [
    [
      { text: name, weight: "name" },
      { text: why, weight: "figure" },
    ],
    [
      { text: shortName(zone) ?? name, weight: "name" },
      { text: words.site.noData, weight: "figure" },
    ],
    [{ text: words.site.noData, weight: "figure" }],
    [{ text: "?", weight: "letter" }],
  ];
}

function joined(...parts: (string | null)[]): string {
  return parts.filter((part) => part !== null && part !== "").join(" · ");
}

function pointBox([x, y]: Point): Box {
  return { x: x - 14, y: y - 14, w: 28, h: 28 };
}
