// A stand-in for the binary: serves dist/ under a strict content security policy and plays the mock night by docs/API.md. For
// development and for the end-to-end test where no binary is at hand. Its own switches, under /mock, exist only here.
//
//   node e2e/mock-server.mjs [--port 8031] [--speed 60] [--start -95] [--token T]
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { AlarmDesk, entryEta } from "./mock/alarms.mjs";
import { gatesOf, historyOf, minuteOf, nightOf, recordOf } from "./mock/night.mjs";
import { KICK_OFF, SITES } from "./mock/site.mjs";

const DIST = join(dirname(fileURLToPath(import.meta.url)), "..", "dist");
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const MODEL = { name: "crowd-flow", version: "1.0.0", sha256: "ab".repeat(32) };

/** Starts the server; its address, what was posted to it, and how to end it. */
export async function startMock({ port = 0, speed = 60, start = -95, token = null } = {}) {
  const world = {
    speed,
    token,
    paused: false,
    fallback: null,
    posted: [],
    streams: new Set(),
    eventTime: KICK_OFF + start * 60_000,
    venues: new Map(SITES.map((site) => [site.id, venueOf(site)])),
  };
  for (const { desk } of world.venues.values()) warmUp(desk, world.eventTime);
  const server = createServer((request, response) => void answer(world, request, response));
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  const step = Math.max(100, 10_000 / speed);
  const timer = setInterval(() => tick(world, step), step);
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    world,
    close: () => {
      clearInterval(timer);
      server.closeAllConnections();
      server.close();
    },
  };
}

function venueOf(site) {
  const night = nightOf(site);
  return { site, night, desk: new AlarmDesk(night) };
}

/** Lets the alarms live through the night up to where the mock begins; the first ones were taken by a colleague. */
function warmUp(desk, eventTime) {
  for (let t = KICK_OFF - 130 * 60_000; t <= eventTime; t += 10_000) {
    desk.advance(t);
    for (const [alarm_id, alarm] of desk.kept) {
      const early = ["BLIND", "CAP-OCC"].includes(alarm.rule.code);
      const due = t - desk.onset(alarm.rule) > 50_000;
      if (early && due && alarm.state === "unack") desk.command({ action: "ack", alarm_id, operator: "s.alaoui" }, t);
    }
  }
}

function tick(world, wall) {
  if (world.paused) return;
  const panes = Math.max(1, Math.round((wall * world.speed) / 10_000));
  world.eventTime += panes * 10_000;
  for (const [venue, { desk }] of world.venues) {
    const changed = desk.advance(world.eventTime);
    for (const stream of world.streams) {
      if (stream.venue !== venue) continue;
      push(stream.response, "picture", picture(world, venue));
      if (changed || (world.eventTime / 10_000) % 6 === 0)
        push(stream.response, "alarms", desk.message(world.eventTime));
    }
  }
}

function picture(world, venue) {
  const { site, night } = world.venues.get(venue);
  const t = world.eventTime;
  const minute = minuteOf(t);
  const row = night.at(minute);
  const model = world.fallback ? "fallback" : MODEL;
  const state = world.fallback ? { state: "fallback", why: world.fallback } : { ...MODEL, state: "active" };
  const places = [...site.zones.filter((z) => z.kind !== "gate_queue"), ...site.links];
  const read = Math.round((minute + 200) * 5_400);
  const reporting = 412 + (Math.floor(minute) % 5);
  return {
    venue,
    event_time: t,
    watermark: t,
    coverage: 0.96,
    delay_s: 4.1,
    match: {
      ...{ id: site.matches[0].id, name: site.matches[0].name, kick_off: KICK_OFF, planned_kick_off: KICK_OFF },
      phase: phase(minute),
      expected_attendance: night.expected,
      admitted: Math.round(row.admitted),
    },
    model: { flow: state, anomaly: { ...MODEL, name: "crowd-anomaly", state: "active" } },
    ledger: { imbalance: 0, read, late: 12, quarantined: 40, duplicate: 3, revised: 9, ignored: 0, undecodable: 2 },
    ...(minute < 0 ? { entry_eta: entryEta(night, t) } : {}),
    places: places.map((p) => recordOf(night, p.id, t, model)),
    feeds: [
      feed(`${venue}-turnstiles`, "sensors", t, 2, reporting, 429, [`${venue.slice(0, 3)}-s4-02`]),
      feed(`${venue}-scans`, "ticketing", t, 0.8, gatesOf(site).length, gatesOf(site).length),
      feed(`${venue}-trains`, "transport", t, 24, 12, 12),
    ],
  };
}

function feed(source, name, watermark, age_s, reporting, expected, quarantined = []) {
  return { source, feed: name, watermark, age_s, idle: false, reporting, expected, quarantined };
}

function phase(minute) {
  if (minute < 0) return "before";
  if (minute < 47) return "first_half";
  if (minute < 62) return "half_time";
  return minute < 110 ? "second_half" : "after";
}

async function answer(world, request, response) {
  const url = new URL(request.url, "http://mock");
  const path = url.pathname;
  if (path === "/readyz" || path === "/healthz") return json(response, 200, { ok: true });
  if (path === "/mock") {
    Object.assign(world, await body(request));
    return json(response, 200, { ok: true });
  }
  if (!path.startsWith("/api/v1/")) return file(response, path);
  const given = request.headers.authorization?.replace("Bearer ", "") ?? url.searchParams.get("token");
  if (world.token && given !== world.token) return json(response, 401, { error: "token" });
  const parts = path.split("/").slice(3).map(decodeURIComponent);
  if (path === "/api/v1/status") {
    const status = { version: "0.1.0", commit: "mock", started: world.eventTime, shards: 1 };
    return json(response, 200, { ...status, mode: "demo", speed: world.speed });
  }
  if (path === "/api/v1/commands") return command(world, await body(request), response);
  const list = SITES.map(({ id, name, city, time_zone, region }) => ({ id, name, city, time_zone, region }));
  if (parts.length === 1) return json(response, 200, list);
  const venue = world.venues.get(parts[1]);
  if (!venue) return json(response, 404, { error: "venue" });
  if (parts.length === 2) return json(response, 200, venue.site);
  if (parts[2] === "stream") return stream(world, parts[1], request, response);
  if (parts[2] === "places") {
    const minutes = Number(url.searchParams.get("minutes") ?? 120);
    return json(response, 200, { place: parts[3], points: historyOf(venue.night, parts[3], world.eventTime, minutes) });
  }
  return json(response, 404, { error: "path" });
}

function command(world, wanted, response) {
  world.posted.push(wanted);
  const desk = world.venues.get(wanted.venue)?.desk;
  const wrong = desk ? desk.command(wanted, world.eventTime) : "venue";
  if (wrong) return json(response, 400, { error: wrong });
  json(response, 202, { command_id: `c${world.posted.length}` });
  for (const stream of world.streams) {
    if (stream.venue === wanted.venue) push(stream.response, "alarms", desk.message(world.eventTime));
  }
}

function stream(world, venue, request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const entry = { venue, response };
  world.streams.add(entry);
  request.on("close", () => world.streams.delete(entry));
  push(response, "picture", picture(world, venue));
  push(response, "alarms", world.venues.get(venue).desk.message(world.eventTime));
}

function push(response, event, data) {
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function file(response, path) {
  const wanted = normalize(join(DIST, path === "/" ? "index.html" : path));
  if (!wanted.startsWith(DIST) || !existsSync(wanted)) return json(response, 404, { error: "path" });
  response.writeHead(200, { "content-type": TYPES[extname(wanted)] ?? "text/plain", "content-security-policy": CSP });
  createReadStream(wanted).pipe(response);
}

function json(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

async function body(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return JSON.parse(text || "{}");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8031" },
      speed: { type: "string", default: "60" },
      start: { type: "string", default: "-95" },
      token: { type: "string" },
    },
  });
  const { port, speed, start } = values;
  const mock = await startMock({ port: +port, speed: +speed, start: +start, token: values.token ?? null });
  console.log(mock.url);
}
