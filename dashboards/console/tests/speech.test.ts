// Numbers and times as they are said: the kick-off clock, the venue's hour across a change of offset, sensible rounding.
import { describe, expect, test } from "vitest";
import { kickOffRelative, roundPersons, Speech } from "../src/words/speech";

const MINUTE = 60_000;
const KICK_OFF = Date.UTC(2030, 5, 16, 20, 0);

describe("time from the kick-off", () => {
  test.each([
    [-95 * MINUTE, "KO−01:35"],
    [-94.5 * MINUTE, "KO−01:35"],
    [-1, "KO−00:01"],
    [0, "KO+00:00"],
    [12.9 * MINUTE, "KO+00:12"],
    [605 * MINUTE, "KO+10:05"],
  ])("%d ms away reads %s", (offset, text) => {
    expect(kickOffRelative(KICK_OFF + offset, KICK_OFF)).toBe(text);
  });

  test("agrees with the clock beside it within every minute", () => {
    const say = new Speech("en", "UTC");
    const at = KICK_OFF - 95 * MINUTE + 30_000;
    expect(say.clock(at)).toBe("18:25");
    expect(kickOffRelative(at, KICK_OFF)).toBe("KO−01:35");
  });
});

describe("the hour at the venue", () => {
  test("an hour that comes twice is written twice, and UTC tells them apart", () => {
    const say = new Speech("fr", "Europe/Madrid");
    const first = Date.UTC(2030, 9, 27, 0, 30);
    const second = first + 60 * MINUTE;
    expect([say.clock(first), say.clock(second)]).toEqual(["02:30", "02:30"]);
    expect([say.utc(first), say.utc(second)]).toEqual(["00:30", "01:30"]);
  });

  test("an hour that never comes is stepped over", () => {
    const say = new Speech("en", "Europe/Lisbon");
    const before = Date.UTC(2030, 2, 31, 0, 59, 50);
    expect(say.clockSeconds(before)).toBe("00:59:50");
    expect(say.clockSeconds(before + 10_000)).toBe("02:00:00");
  });

  test("midnight is 00:00 in both languages", () => {
    const midnight = Date.UTC(2030, 5, 17);
    expect(new Speech("en", "UTC").clock(midnight)).toBe("00:00");
    expect(new Speech("fr", "UTC").clock(midnight)).toBe("00:00");
  });
});

test("the venue's offset comes from the service where it says one", () => {
  const noon = Date.UTC(2030, 5, 16, 12);
  expect(new Speech("en", "Africa/Casablanca", 3_600).clock(noon)).toBe("13:00");
});

describe("numbers", () => {
  const en = new Speech("en", "UTC");
  const fr = new Speech("fr", "UTC");

  test("an estimate is no finer than it deserves", () => {
    expect([87, 1_417, 31_846].map(roundPersons)).toEqual([87, 1_420, 31_800]);
    expect(en.persons(31_846)).toBe("31,800");
    expect(fr.persons(31_846)).toBe("31\u202f800");
  });

  test("a share is rounded down, so 100 % means all", () => {
    expect(en.percent(0.999)).toBe("99\u202f%");
    expect(en.percent(1)).toBe("100\u202f%");
    expect(en.percent(0.29)).toBe("29\u202f%");
    expect(en.percent(0.004)).toBe("0.4\u202f%");
    expect(en.percent(0.0002)).toBe("0\u202f%");
    expect(fr.percent(0.004)).toBe("0,4\u202f%");
  });

  test("a negative number has a minus sign", () => {
    expect(en.number(-3)).toBe("−3");
  });

  test("a length of time is said in the unit that fits", () => {
    expect([48, 89.4, 300, 5_340, 5_700, 7_200].map((s) => en.duration(s).replaceAll("\u202f", " "))).toEqual([
      "48 s",
      "89 s",
      "5 min",
      "89 min",
      "1 h 35 min",
      "2 h",
    ]);
  });

  test("plurals follow the language", () => {
    const forms = { one: "one", other: "other" };
    expect([0, 1, 2].map((n) => en.plural(n, forms))).toEqual(["other", "one", "other"]);
    expect([0, 1, 2].map((n) => fr.plural(n, forms))).toEqual(["one", "one", "other"]);
  });
});
