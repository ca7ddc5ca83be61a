// The live state: order within a connection, a fresh start with a new one, what calls for attention, when silence is silence.
import { describe, expect, test } from "vitest";
import type { Alarm, AlarmsMessage, Picture } from "../src/contract/types";
import { calling, NOTHING, reduce, silence, type Happening, type Live } from "../src/live/reduce";
import { backOff } from "../src/live/stream";
import { order, walk } from "../src/alarms/order";

const alarm = (id: string, more: Partial<Alarm> = {}): Alarm => ({
  alarm_id: id,
  change_no: 0,
  state: "unack",
  change: "raised",
  code: "DENS",
  priority: "medium",
  place: { kind: "zone", id: "z" },
  onset: 0,
  changed: 0,
  headline: { key: "alarm.dens", args: {} },
  evidence: [],
  ...more,
});

const picture = (event_time: number): Happening => ({
  kind: "picture",
  at: 1_000,
  picture: { venue: "v", event_time, watermark: event_time, coverage: 1, places: [], feeds: [] } satisfies Picture,
});

const alarms = (...list: Alarm[]): Happening => ({
  kind: "alarms",
  at: 1_000,
  message: { venue: "v", event_time: 0, alarms: list, load: { flood: false } } satisfies AlarmsMessage,
});

const after = (...happenings: Happening[]): Live => happenings.reduce(reduce, NOTHING);

describe("the live state", () => {
  test("event time does not go back within a connection", () => {
    expect(after({ kind: "opened" }, picture(200), picture(100)).picture?.event_time).toBe(200);
  });

  test("a new connection may tell of another night", () => {
    const live = after(
      { kind: "opened" },
      picture(200),
      { kind: "lost", retryAt: 9 },
      { kind: "opened" },
      picture(100),
    );
    expect(live.picture?.event_time).toBe(100);
  });

  test("an alarm does not return to an earlier change", () => {
    const live = after(
      { kind: "opened" },
      alarms(alarm("a", { change_no: 2, state: "ack" })),
      alarms(alarm("a", { change_no: 1 })),
    );
    expect(live.alarms[0]?.state).toBe("ack");
  });

  test("an alarm that the server no longer lists is gone", () => {
    expect(after({ kind: "opened" }, alarms(alarm("a"), alarm("b")), alarms(alarm("b"))).alarms).toHaveLength(1);
  });

  test("a message proves the connection", () => {
    expect(after({ kind: "lost", retryAt: 9 }, picture(1)).connection.state).toBe("open");
  });
});

describe("attention", () => {
  test("a new alarm calls, one that was taken and came back calls again, a reassessed one does not", () => {
    const before = [alarm("old"), alarm("back", { state: "ack" })];
    const now = [alarm("old", { change_no: 1, change: "reassessed" }), alarm("back"), alarm("new")];
    expect(calling(before, now).map((a) => a.alarm_id)).toEqual(["back", "new"]);
  });

  test("what nobody has taken stands first, then priority, then the newest; consequences stand under their cause", () => {
    const ordered = order([
      alarm("taken", { state: "ack", priority: "top" }),
      alarm("low", { priority: "low" }),
      alarm("older", { priority: "high", onset: 1 }),
      alarm("newer", { priority: "high", onset: 2 }),
      alarm("consequence", { priority: "low", caused_by: "older" }),
      alarm("shelved", { state: "shelved" }),
      alarm("cleared", { state: "normal" }),
    ]);
    expect(walk(ordered).map((a) => a.alarm_id)).toEqual([
      "newer",
      "older",
      "consequence",
      "low",
      "taken",
      "shelved",
      "cleared",
    ]);
  });

  test("two alarms that name each other as their cause are both shown", () => {
    const ordered = order([alarm("a", { caused_by: "b" }), alarm("b", { caused_by: "a" })]);
    expect(ordered.active).toHaveLength(2);
  });
});

describe("silence", () => {
  const live = after({ kind: "opened" }, picture(1));

  test("three panes of silence and a margin are silence", () => {
    expect(silence(live, 1_000 + 38_000, 10, 1)).toBeNull();
    expect(silence(live, 1_000 + 39_000, 10, 1)).toBe(39_000);
  });

  test("at speed the patience shrinks with the pane", () => {
    expect(silence(live, 1_000 + 9_000, 10, 60)).toBe(9_000);
  });

  test("a lost connection is silence at once", () => {
    expect(silence(reduce(live, { kind: "lost", retryAt: 0 }), 1_000 + 2_500, 10, 1)).toBe(2_500);
  });

  test("the waits grow to half a minute and no further", () => {
    expect([0, 1, 2, 5, 20].map((n) => backOff(n, 0))).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
    expect(backOff(0, 0.999)).toBeGreaterThanOrEqual(750);
  });
});
