// A believable match night as a pure function of event time: arrivals in waves, queues that grow where demand passes capacity,
// density that follows, forecasts that look ahead in the same function with honest bands. The same minute is always the same.
import { KICK_OFF } from "./site.mjs";

const MINUTE = 60_000;
export const FIRST = -200;
const LAST = 220;
const HORIZONS = [300, 600, 900, 1200, 1500, 1800];

const LIMITS = {
  walkway: [0.31, 0.43, 0.72, 1.08, 2.17],
  queue: [0.83, 1.08, 1.54, 3.59, 5.38],
};

export function nightOf(site) {
  const gates = gatesOf(site);
  const expected = site.matches[0].expected_attendance;
  const weights = gates.map((_, i) => gateWeight(i, gates.length));
  const sum = weights.reduce((a, b) => a + b, 0);
  const rows = [];
  let row = { minute: FIRST - 1, arrived: 0, admitted: 0, queues: gates.map(() => 0), flows: gates.map(() => 0) };
  for (let minute = FIRST; minute <= LAST; minute++) {
    const arriving = Math.max(0, (share(minute) - share(minute - 1)) * expected);
    const flows = [];
    const queues = row.queues.map((queue, i) => {
      const wanting = queue + (arriving * weights[i] * wave(minute, i)) / sum;
      const flow = Math.min(wanting, capacity(i, minute));
      flows.push(flow);
      return wanting - flow;
    });
    const admitted = row.admitted + flows.reduce((a, b) => a + b, 0);
    row = { minute, arriving, admitted, queues, flows, inside: admitted * staying(minute) };
    rows.push(row);
  }
  const at = (minute) => rows[Math.max(0, Math.min(rows.length - 1, Math.floor(minute) - FIRST))];
  return { site, expected, at };
}

export function gatesOf(site) {
  return site.links.filter((link) => link.kind === "gate");
}

export function minuteOf(eventTime) {
  return (eventTime - KICK_OFF) / MINUTE;
}

export function capacity(i, minute) {
  return lanesOpen(i, minute) * 10.5;
}

export function lanesOpen(i, minute) {
  if (i === 20 && minute < -74) return 0;
  return i % 5 === 3 ? 3 : 4;
}

/** The record of one place at the end of the pane. */
export function recordOf(night, place, eventTime, model) {
  const { site } = night;
  const minute = minuteOf(eventTime);
  const zone = site.zones.find((z) => z.id === place);
  const gate = gatesOf(site).findIndex((l) => l.id === place || `into-${l.id}` === place);
  const base = { zone: place, from: eventTime - 10_000, to: eventTime, coverage: 1, revision: 0 };
  if (gate >= 0) return { ...base, ...gateRecord(night, gate, minute), kind: "gate" };
  if (isBlind(place, minute)) {
    return {
      ...base,
      kind: "zone",
      coverage: 0,
      age_s: { sensors: 40 + Math.max(0, Math.round((minute + 118) * 60)) },
    };
  }
  const persons = personsIn(night, zone, minute);
  const density = persons / zone.area_m2;
  const jitter = noise(place, Math.floor(eventTime / 10_000));
  return {
    ...base,
    kind: zone.kind === "approach" ? "approach" : "zone",
    in: Math.round(Math.max(0, persons * 0.012 * (1 + jitter))),
    out: Math.round(Math.max(0, persons * 0.01 * (1 - jitter))),
    occupancy: band(persons, 0.03),
    density: band(density, 0.05, 2),
    ...(zone.table ? { los: { table: zone.table, grade: grade(zone.table, density) } } : {}),
    age_s: { sensors: 2 + (Math.abs(jitter) * 20) / 10 },
    forecast: forecast((m) => personsIn(night, zone, m), minute, "occupancy"),
    model,
    score: Math.round(Math.max(0.01, 0.4 + jitter * 3) * 1000) / 1000,
  };
}

export function historyOf(night, place, eventTime, minutes) {
  const end = Math.floor(eventTime / MINUTE) * MINUTE;
  const times = Array.from({ length: minutes + 1 }, (_, i) => end - (minutes - i) * MINUTE);
  return times
    .filter((t) => minuteOf(t) >= FIRST && t <= eventTime)
    .map((t) => {
      const record = recordOf(night, place, t, "fallback");
      const flow = record.flow ?? (record.in ?? 0) * 6;
      return {
        t,
        in: record.coverage === 0 ? null : Math.round(flow),
        out: record.out == null ? null : record.out * 6,
        occupancy: record.occupancy ?? null,
        density: record.density?.v ?? null,
        queue: record.queue?.v ?? null,
      };
    });
}

export function isBlind(place, minute) {
  return place === "parking-p5" && minute > -120;
}

function gateRecord(night, i, minute) {
  const row = night.at(minute);
  const jitter = noise(`gate${i}`, Math.floor(minute * 6));
  const flow = Math.max(0, row.flows[i] * (1 + jitter * 0.3));
  const queue = Math.max(0, row.queues[i] * (1 + jitter * 0.1));
  const per = capacity(i, minute);
  return {
    in: Math.round(flow / 6),
    out: 0,
    flow: Math.round(flow),
    ...(per > 0 ? { queue: band(queue, 0.08), wait_s: band((queue / per) * 60, 0.1) } : {}),
    lanes_open: lanesOpen(i, minute),
    capacity_per_min: per,
    los: { table: "queue", grade: grade("queue", queue / 420) },
    age_s: { sensors: 2, ticketing: 0.8 },
    forecast: [
      ...forecast((m) => night.at(m).flows[i], minute, "in"),
      ...forecast((m) => night.at(m).queues[i], minute, "queue"),
    ],
  };
}

function personsIn(night, zone, minute) {
  const row = night.at(minute);
  const n = noise(zone.id, Math.floor(minute)) * 0.25;
  const rate = (row.arriving ?? 0) + egress(night, minute);
  switch (zone.kind) {
    case "bowl":
      return row.inside;
    case "stand":
      return row.inside * (0.25 + 0.02 * hash(zone.id));
    case "concourse": {
      const i = Number(zone.id.split("-")[1]) - 1;
      const per = row.flows.length / 12;
      const flow = row.flows.slice(i * per, (i + 1) * per).reduce((a, b) => a + b, 0) + egress(night, minute) / 12;
      return (180 + flow * 5.2) * (1 + n) + halfTime(minute) * 1_900;
    }
    case "forecourt": {
      const i = night.site.zones.filter((z) => z.kind === "forecourt").findIndex((z) => z.id === zone.id);
      const per = row.queues.length / 12;
      const queue = row.queues.slice(i * per, (i + 1) * per).reduce((a, b) => a + b, 0);
      return (260 + queue * 3.4 + rate * 0.5) * (1 + n);
    }
    case "approach":
      return (zone.id === "approach-n" ? 400 + rate * 4.6 : 200 + rate * 2) * (1 + n);
    case "station_hall":
    case "platform":
      return (250 + rate * 1.5) * (1 + n * 2);
    case "fan_zone":
      return 24_600 * Math.max(0.02, Math.min(1, (minute + 190) / 128)) * (1 + n * 0.1);
    default:
      return (300 + rate) * (1 + n);
  }
}

/** Which share of all has arrived: early visitors, the main wave, a late wave from delayed trains. */
function share(minute) {
  const wave = (middle, width) => 1 / (1 + Math.exp(-(minute - middle) / width));
  return 0.25 * wave(-120, 14) + 0.55 * wave(-72, 13) + 0.2 * wave(-34, 9);
}

function wave(minute, i) {
  return 1 + 0.35 * Math.sin(minute / 7 + i * 0.9) + 0.15 * noise(`arrive${i}`, Math.floor(minute / 4));
}

function gateWeight(i, n) {
  const north = Math.cos((2 * Math.PI * (i + 2.5)) / n);
  return 1 + 1.15 * Math.max(0, north) ** 3;
}

function staying(minute) {
  return minute < 105 ? 1 : Math.max(0.01, 1 - (minute - 105) / 45);
}

function egress(night, minute) {
  return minute > 105 && minute < 150 ? night.expected / 45 : 0;
}

function halfTime(minute) {
  return minute > 46 && minute < 63 ? 1 - Math.abs(minute - 54) / 9 : 0;
}

function forecast(value, minute, what) {
  return HORIZONS.map((h_s) => {
    const mid = value(minute + h_s / 60);
    const spread = 0.03 + (0.17 * h_s) / 1800;
    return { h_s, what, q10: round(mid * (1 - spread)), q50: round(mid), q90: round(mid * (1 + spread * 1.1)) };
  });
}

function band(v, share, digits = 0) {
  return { v: round(v, digits), lo: round(v * (1 - share), digits), hi: round(v * (1 + share), digits) };
}

export function grade(table, density) {
  const limits = LIMITS[table];
  const over = limits.filter((limit) => density > limit).length;
  return "ABCDEF"[over];
}

/** Between -0.1 and 0.1, always the same for the same name and step. */
function noise(name, step) {
  return (hash(`${name}/${step}`) - 0.5) / 5;
}

function hash(text) {
  let h = 2166136261;
  for (const c of text) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
  h ^= h >>> 13;
  return ((Math.imul(h, 1540483477) >>> 0) % 10_007) / 10_007;
}

function round(n, digits = 0) {
  const scale = 10 ** digits;
  return Math.round(n * scale) / scale;
}
