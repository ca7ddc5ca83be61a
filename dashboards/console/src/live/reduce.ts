// The live state of one venue and how it changes: a pure function of what came before and what happened. Within a connection
// event time never goes back and an alarm never returns to an earlier change; a new connection starts from what it is told,
// because the server may have been restarted on another night.
import type { Alarm, AlarmsMessage, Load, Picture } from "../contract/types";

export type Connection = { state: "connecting" } | { state: "open" } | { state: "lost"; retryAt: number };

export interface Live {
  picture: Picture | null;
  alarms: Alarm[];
  load: Load | null;
  /** When the last message came, on the clock of this browser. */
  heardAt: number | null;
  connection: Connection;
  /** Whether the next message of a kind is the first of its connection. */
  first: { picture: boolean; alarms: boolean };
}

export type Happening =
  | { kind: "opened" }
  | { kind: "lost"; retryAt: number }
  | { kind: "picture"; picture: Picture; at: number }
  | { kind: "alarms"; message: AlarmsMessage; at: number };

export const NOTHING: Live = {
  picture: null,
  alarms: [],
  load: null,
  heardAt: null,
  connection: { state: "connecting" },
  first: { picture: true, alarms: true },
};

export function reduce(live: Live, happening: Happening): Live {
  switch (happening.kind) {
    case "opened":
      return { ...live, connection: { state: "open" }, first: { picture: true, alarms: true } };
    case "lost":
      return { ...live, connection: { state: "lost", retryAt: happening.retryAt } };
    case "picture":
      return withPicture(live, happening.picture, happening.at);
    case "alarms":
      return withAlarms(live, happening.message, happening.at);
  }
}

function withPicture(live: Live, picture: Picture, at: number): Live {
  const older = live.picture !== null && picture.event_time < live.picture.event_time;
  if (older && !live.first.picture) return live;
  return { ...live, picture, heardAt: at, connection: { state: "open" }, first: { ...live.first, picture: false } };
}

function withAlarms(live: Live, message: AlarmsMessage, at: number): Live {
  const known = new Map(live.alarms.map((alarm) => [alarm.alarm_id, alarm]));
  const alarms = live.first.alarms
    ? message.alarms
    : message.alarms.map((alarm) => {
        const before = known.get(alarm.alarm_id);
        return before && before.change_no > alarm.change_no ? before : alarm;
      });
  return {
    ...live,
    alarms,
    load: message.load,
    heardAt: at,
    connection: { state: "open" },
    first: { ...live.first, alarms: false },
  };
}

/** Alarms that call for attention now and did not before: raised, or un-acknowledged again. */
export function calling(before: Alarm[], after: Alarm[]): Alarm[] {
  const waiting = new Set(before.filter((a) => a.state === "unack").map((a) => a.alarm_id));
  return after.filter((a) => a.state === "unack" && !waiting.has(a.alarm_id));
}

/** For how long nothing has come, or null while the picture may be trusted: three panes of silence and a margin. */
export function silence(live: Live, now: number, paneSeconds: number, speed: number): number | null {
  if (live.heardAt === null) return null;
  const quiet = now - live.heardAt;
  if (live.connection.state === "lost" && quiet > 2_000) return quiet;
  const patience = (3 * paneSeconds * 1_000) / Math.max(1, speed) + 8_000;
  return quiet > patience ? quiet : null;
}
