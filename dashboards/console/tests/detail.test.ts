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

  test("an unknown alarm still says its code and place", () => {
    expect(headline(alarm("alarm.turb", {}, { code: "TURB" }), "N1", say, words)).toBe("TURB: N1");
    expect(wouldClear(alarm("alarm.turb", {}), say, words)).toBe(words.clears.unknown);
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
