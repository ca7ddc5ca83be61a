// The trend and the sentences: the forecast begins at the truth line, crossings are found, alarms read as sentences.
import { describe, expect, test } from "vitest";
import { headline, stateWords, wouldClear } from "../src/alarms/sentences";
import type { Alarm, PlaceRecord } from "../src/contract/types";
import { available, crossing, natural, trendOf, type About } from "../src/detail/series";
import { byFeed } from "../src/feeds/health";
import { CATALOGUES } from "../src/words/catalogue";
import { Speech } from "../src/words/speech";

const MINUTE = 60_000;
const NOW = 100 * MINUTE;

const about = (more: Partial<About> = {}): About => ({
  points: [98, 99, 101].map((m) => ({ t: m * MINUTE, in: 300, occupancy: { v: m * 10 }, density: 1, queue: null })),
  record: {
    ...({ kind: "zone", zone: "z", from: NOW - 10_000, to: NOW, occupancy: { v: 1_000 } } satisfies PlaceRecord),
    forecast: [
      { h_s: 600, what: "occupancy", q10: 1_000, q50: 1_150, q90: 1_400 },
      { h_s: 300, what: "occupancy", q10: 950, q50: 1_050, q90: 1_200 },
      { h_s: 300, what: "in", q10: 1, q50: 2, q90: 3 },
    ],
  },
  now: NOW,
  area: 500,
  capacity: 1_100,
  expected: null,
  alarm: null,
  ...more,
});

describe("the trend", () => {
  test("nothing measured lies beyond the truth line, and the forecast begins there", () => {
    const trend = trendOf("occupancy", about());
    expect(Math.max(...trend.measured.map((p) => p.t))).toBe(NOW);
    expect(trend.forecast[0]).toEqual({ t: NOW, lo: 1_000, mid: 1_000, hi: 1_000 });
    expect(trend.forecast.map((s) => s.t)).toEqual([NOW, NOW + 300_000, NOW + 600_000]);
  });

  test("density is forecast from the head count", () => {
    expect(trendOf("density", about()).forecast[1]?.mid).toBeCloseTo(1_050 / 500);
  });

  test("a measure without values is not offered", () => {
    expect(available(about())).toEqual(["occupancy", "density", "flow"]);
  });

  test("the middle forecast crosses the capacity between two steps", () => {
    const found = crossing(trendOf("occupancy", about()));
    expect(found?.how).toBe("middle");
    expect(found?.at).toBe(NOW + 450_000);
  });

  test("a crossing of the upper forecast alone is said to be one", () => {
    expect(crossing(trendOf("occupancy", about({ capacity: 1_300 })))?.how).toBe("upper");
    expect(crossing(trendOf("occupancy", about({ capacity: 2_000 })))?.how).toBe("none");
    expect(crossing(trendOf("occupancy", about({ capacity: 900 })))?.how).toBe("above");
  });

  test("each code has its natural measure", () => {
    expect(natural("DENS-3", "forecourt")).toBe("density");
    expect(natural("QUEUE-SPILL", "gate")).toBe("queue");
    expect(natural(undefined, "gate")).toBe("queue");
    expect(natural("ENTRY-ETA", "bowl")).toBe("occupancy");
  });
});

describe("sentences", () => {
  const say = new Speech("en", "UTC");
  const words = CATALOGUES.en(say);
  const alarm = (key: string, args: Alarm["headline"]["args"], more: Partial<Alarm> = {}): Alarm => ({
    ...{
      alarm_id: "a",
      change_no: 0,
      state: "unack",
      change: "raised",
      code: "X",
      priority: "low",
      onset: 0,
      changed: 0,
    },
    ...{ place: { kind: "zone", id: "z" }, headline: { key, args }, evidence: [] },
    ...more,
  });

  test("an argument of the headline is used, else the evidence, else the shorter sentence", () => {
    const evidence = [{ what: "density", value: 3.71 }];
    expect(headline(alarm("alarm.dens", { density: 4.04 }), "N1", say, words)).toBe("Too dense: N1 at 4.0\u202f/m²");
    expect(headline(alarm("alarm.dens", {}, { evidence }), "N1", say, words)).toBe("Too dense: N1 at 3.7\u202f/m²");
    expect(headline(alarm("alarm.dens", {}), "N1", say, words)).toBe("Too dense: N1");
  });

  test("every code of the catalogue reads as a sentence with its figures", () => {
    const reads: [string, Record<string, number>, string][] = [
      ["plan_split", { share: 0.877, planned: 0.4 }, "N1 brings 87 %, planned 40 %"],
      ["presence", { inside: 6_000, planned: 200 }, "N1: 6,000 already, planned 200"],
      ["presence", { arrivals_per_min: 350, planned: 100 }, "N1: 350 /min come, planned 100"],
      ["presence", { occupancy: 3_500, usual: 1_000 }, "N1: 3,500 persons, usual 1,000"],
      ["cap_sold", { sold: 42_516, capacity: 38_054 }, "N1: 42,516 tickets for 38,054 places"],
      ["sibling", { share: 0.95, least: 0.4 }, "N1 is at 95 %, beside it 40 %"],
      ["exit_plan", { occupancy: 6_000, exits_open: 1, exits: 2 }, "N1: 1 of 2 exits open, too few for 6,000 persons"],
      ["breach", { counted: 120, scanned: 60 }, "Breach at N1: 120 came in, 60 with a ticket"],
      ["breach", { doors: 2 }, "Breach: 2 doors forced"],
      ["scan_mix", { share: 0.2, gates: 1 }, "20 % of tickets turned away: N1"],
      ["scan_mix", { share: 0.2, gates: 5 }, "20 % of tickets turned away at 5 gates"],
      ["call_cluster", { calls: 4 }, "4 calls for help close together: N1"],
      ["blind", { coverage: 0.6 }, "Poor sight of N1: 60 % of its sensors report"],
    ];
    const plain = (text: string) => text.replace(/[\u202f\u00a0]/g, " ");
    for (const [key, args, sentence] of reads) {
      expect(plain(headline(alarm(`alarm.${key}`, args), "N1", say, words))).toBe(sentence);
    }
  });

  test("an unknown alarm still says its code and place", () => {
    expect(headline(alarm("alarm.other", {}, { code: "OTHER" }), "N1", say, words)).toBe("OTHER: N1");
    expect(wouldClear(alarm("alarm.other", {}), say, words)).toBe(words.clears.unknown);
  });

  test("who has it and until when it is shelved is said", () => {
    expect(stateWords(alarm("x", {}, { state: "ack", operator: "s.alaoui" }), say, words)).toBe("s.alaoui has it");
    expect(stateWords(alarm("x", {}, { state: "shelved", until: 0 }), say, words)).toBe("shelved until 00:00");
    expect(stateWords(alarm("x", {}, { state: "latched" }), say, words)).toBe("latched");
  });
});

describe("feed health", () => {
  test("a feed is the sum of its sources and as old as the oldest", () => {
    const [sensors] = byFeed([
      { source: "a", feed: "sensors", age_s: 2, idle: false, reporting: 10, expected: 10 },
      { source: "b", feed: "sensors", age_s: 9, idle: true, reporting: 5, expected: 10, quarantined: ["b-7"] },
    ]);
    expect(sensors).toMatchObject({
      reporting: 15,
      expected: 20,
      age: 9,
      idle: true,
      quarantined: ["b-7"],
      unwell: true,
    });
  });
});
