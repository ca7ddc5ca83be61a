// Two made-up venues in the form of docs/API.md, as large as the real ones: a bowl with stands, a ring of concourses, 36 gates, a
// ring of forecourts, and around them stations, approaches, a fan zone and car parks.
const CENTRE = { cx: 500, cy: 425 };

export const KICK_OFF = Date.UTC(2030, 5, 16, 20, 0);

export const SITES = [
  build({
    id: "casablanca",
    name: "Grand Stade Hassan II",
    city: "Benslimane",
    region: "ma-casablanca",
    capacity: 115_000,
    gates: 36,
    match: { id: "m61", name: "Morocco – Portugal", home: "Morocco", away: "Portugal", expected: 104_200 },
  }),
  build({
    id: "rabat",
    name: "Prince Moulay Abdellah",
    city: "Rabat",
    region: "ma-rabat",
    capacity: 68_700,
    gates: 24,
    match: { id: "m62", name: "Spain - Japan", home: "Spain", away: "Japan", expected: 61_500 },
  }),
];

function build({ id, name, city, region, capacity, gates, match }) {
  const zones = [
    zone("bowl", "Bowl", "bowl", 34_000, capacity, { kind: "ellipse", ...CENTRE, rx: 102, ry: 74 }, null),
    ...["N", "E", "S", "W"].map((side, i) =>
      zone(
        `stand-${side.toLowerCase()}`,
        `Stand ${side}`,
        "stand",
        9_000,
        Math.round(capacity / 4),
        arc(108, 80, 158, 123, -135 + 90 * i, 90),
        null,
      ),
    ),
    ...ring(12, (i) =>
      zone(
        `concourse-${i + 1}`,
        `Concourse ${i + 1}`,
        "concourse",
        2_600,
        6_200,
        arc(165, 130, 228, 186, -90 + 30 * i, 30),
        "walkway",
      ),
    ),
    ...ring(12, (i) => {
      const tag = `${"NESW"[Math.floor(((i + 1) % 12) / 3)]}${((i + 1) % 3) + 1}`;
      const shape = arc(252, 208, 335, 280, -90 + 30 * i, 30);
      return zone(`forecourt-${tag.toLowerCase()}`, `Forecourt ${tag}`, "forecourt", 2_400, 4_800, shape, "queue");
    }),
    zone("station-hall", "Station hall", "station_hall", 3_200, 6_000, box(24, 20, 212, 82), "walkway"),
    zone("platform-c", "Platform C", "platform", 2_100, 4_200, box(24, 106, 130, 62), "queue"),
    zone(
      "approach-n",
      "Approach North",
      "approach",
      5_200,
      9_000,
      poly([242, 30], [366, 30], [398, 118], [300, 152]),
      "walkway",
    ),
    zone(
      "approach-e",
      "Approach East",
      "approach",
      3_900,
      7_000,
      poly([764, 164], [872, 110], [926, 182], [812, 236]),
      "walkway",
    ),
    zone("tram-east", "Tram East", "station_hall", 1_500, 3_000, box(800, 24, 176, 80), "walkway"),
    zone("fan-zone", "Fan zone", "fan_zone", 14_000, 25_000, box(24, 690, 190, 110), "walkway"),
    zone("plaza-s", "Plaza South", "plaza", 6_000, 10_000, box(420, 736, 190, 64), "walkway"),
    zone("parking-p5", "Parking P5", "parking", 20_000, null, box(800, 716, 176, 84), "walkway"),
    zone("parking-p2", "Parking P2", "parking", 16_000, 6_000, box(24, 574, 116, 76), "walkway"),
  ];
  const into = ring(gates, (i) => {
    const angle = ((-90 + (360 / gates) * (i + 0.5)) * Math.PI) / 180;
    const at = [round(CENTRE.cx + 262 * Math.cos(angle)), round(CENTRE.cy + 215 * Math.sin(angle))];
    const link = {
      id: `into-g${i + 1}`,
      name: `Into the queue of gate ${i + 1}`,
      kind: "open",
      width_m: 6,
      lanes: null,
    };
    return { ...link, from: `forecourt-n1`, to: `queue-g${i + 1}`, at };
  });
  const links = ring(gates, (i) => {
    const angle = ((-90 + (360 / gates) * (i + 0.5)) * Math.PI) / 180;
    const at = [round(CENTRE.cx + 240 * Math.cos(angle)), round(CENTRE.cy + 197 * Math.sin(angle))];
    const segment = Math.floor((i * 12) / gates) + 1;
    const gate = `g${i + 1}`;
    zones.push(zone(`queue-${gate}`, `Queue ${i + 1}`, "gate_queue", 420, 1_500, null, "queue"));
    const link = { id: gate, name: `Gate ${i + 1}`, kind: "gate", from: `queue-${gate}`, to: `concourse-${segment}` };
    return { ...link, width_m: 6, lanes: 4, at };
  });
  return {
    id,
    name,
    city,
    region,
    time_zone: "Africa/Casablanca",
    capacity,
    illustrative: true,
    pane_s: 10,
    perimeters: [
      { id: "outer", name: "Outer perimeter", shape: { kind: "ellipse", ...CENTRE, rx: 420, ry: 342 } },
      { id: "inner", name: "Inner perimeter", shape: { kind: "ellipse", ...CENTRE, rx: 240, ry: 197 } },
    ],
    zones,
    links: [...into, ...links],
    sources: [
      { id: `${id.slice(0, 3)}-turnstiles`, feed: "sensors" },
      { id: `${id.slice(0, 3)}-scans`, feed: "ticketing" },
      { id: `${id.slice(0, 3)}-trains`, feed: "transport" },
    ],
    matches: [
      {
        id: match.id,
        name: match.name,
        home: match.home,
        away: match.away,
        kick_off: KICK_OFF,
        expected_attendance: match.expected,
      },
    ],
  };
}

function zone(id, name, kind, area_m2, capacity, shape, table) {
  const perimeter = ["forecourt", "gate_queue", "plaza"].includes(kind) ? "outer" : "inner";
  return { id, name, kind, perimeter, area_m2, capacity, table, shape };
}

function arc(rx0, ry0, rx1, ry1, from_deg, sweep) {
  return { kind: "arc", ...CENTRE, rx0, ry0, rx1, ry1, from_deg, to_deg: from_deg + sweep };
}

function box(x, y, w, h) {
  return { kind: "box", x, y, w, h };
}

function poly(...points) {
  return { kind: "polygon", points };
}

function ring(n, make) {
  return Array.from({ length: n }, (_, i) => make(i));
}

function round(n) {
  return Math.round(n * 10) / 10;
}
