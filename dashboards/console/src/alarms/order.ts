// In which order alarms stand: what nobody has taken comes first, then priority, then the newest; what follows from another
// alarm stands under it; shelved and cleared ones are set apart at the end.
import type { Alarm, Priority } from "../contract/types";

const PRIORITIES: Priority[] = ["top", "high", "medium", "low"];
const ACTIVE = ["unack", "rtn_unack", "ack"];
const ASIDE = ["shelved", "suppressed", "out_of_service"];

export interface Ordered {
  active: Alarm[];
  aside: Alarm[];
  cleared: Alarm[];
}

export function order(alarms: Alarm[]): Ordered {
  const sorted = [...alarms].sort(byUrgency);
  return {
    active: underTheirCause(sorted.filter((a) => ACTIVE.includes(a.state))),
    aside: sorted.filter((a) => ASIDE.includes(a.state)),
    cleared: sorted.filter((a) => a.state === "normal"),
  };
}

/** Every alarm in the order in which J and K walk. */
export function walk(ordered: Ordered): Alarm[] {
  return [...ordered.active, ...ordered.aside, ...ordered.cleared];
}

export function isUnacked(alarm: Alarm): boolean {
  return alarm.state === "unack" || alarm.state === "rtn_unack";
}

export function isActive(alarm: Alarm): boolean {
  return ACTIVE.includes(alarm.state);
}

/** 1 is the most urgent. */
export function rank(priority: Priority): number {
  const found = PRIORITIES.indexOf(priority);
  return found < 0 ? PRIORITIES.length : found + 1;
}

function byUrgency(a: Alarm, b: Alarm): number {
  return (
    stateRank(a) - stateRank(b) ||
    rank(a.priority) - rank(b.priority) ||
    b.onset - a.onset ||
    a.alarm_id.localeCompare(b.alarm_id)
  );
}

function stateRank(alarm: Alarm): number {
  if (alarm.state === "unack") return 0;
  return alarm.state === "rtn_unack" ? 1 : 2;
}

function underTheirCause(alarms: Alarm[]): Alarm[] {
  const ids = new Set(alarms.map((a) => a.alarm_id));
  const follows = (a: Alarm) => a.caused_by != null && a.caused_by !== a.alarm_id && ids.has(a.caused_by);
  const roots = alarms.filter((a) => !follows(a));
  const placed = roots.flatMap((root) => [root, ...alarms.filter((a) => follows(a) && a.caused_by === root.alarm_id)]);
  const rest = alarms.filter((a) => !placed.includes(a));
  return [...placed, ...rest];
}
