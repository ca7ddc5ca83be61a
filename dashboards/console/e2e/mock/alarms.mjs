// The alarms of the mock night: each stands between two minutes of match time, takes its figures from the night and its state
// from what operators sent, by the life cycle of docs/API.md.
import { KICK_OFF } from "./site.mjs";
import { capacity, minuteOf, recordOf } from "./night.mjs";

const MINUTE = 60_000;
const PROFILE = "fr-ma-2030/1";

const SCRIPT = [
  { code: "BLIND", kind: "zone", place: "parking-p5", priority: "medium", from: -118, to: 400 },
  { code: "CAP-OCC", kind: "zone", place: "fan-zone", priority: "low", from: -58, to: 400 },
  { code: "ENTRY-ETA", kind: "zone", place: "bowl", priority: "high", from: -96, to: -4 },
  { code: "QUEUE-SPILL", kind: "gate", place: "g34", priority: "high", from: -80, to: -22, cause: "ENTRY-ETA" },
  { code: "QUEUE-SPILL", kind: "zone", place: "queue-g36", priority: "medium", from: -76, to: -26, cause: "ENTRY-ETA" },
  { code: "DENS", kind: "zone", place: "forecourt-n1", priority: "top", from: -66, to: -30 },
  { code: "ANOMALY", kind: "zone", place: "approach-n", priority: "low", from: -104, to: -88 },
  { code: "ANOMALY", kind: "link", place: "into-g36", priority: "low", from: -61, to: -20 },
];

export class AlarmDesk {
  constructor(night) {
    this.night = night;
    const places = new Set([...night.site.zones, ...night.site.links].map((place) => place.id));
    this.script = SCRIPT.filter((rule) => places.has(rule.place));
    this.kept = new Map();
    this.acknowledged = [];
  }

  /** Moves every alarm to `eventTime`; true when one of them changed. */
  advance(eventTime) {
    const minute = minuteOf(eventTime);
    let changed = false;
    for (const rule of this.script) {
      const id = this.idOf(rule);
      const alarm = this.kept.get(id);
      if (!alarm && minute >= rule.from && minute < rule.to) {
        this.kept.set(id, { rule, state: "unack", change: "raised", change_no: 0, changed: eventTime });
        changed = true;
      }
      if (!alarm) continue;
      if (minute >= rule.to && alarm.state === "unack") changed = this.set(alarm, "rtn_unack", "returned", eventTime);
      if (minute >= rule.to && ["ack", "shelved"].includes(alarm.state)) {
        changed = this.set(alarm, "normal", "cleared", eventTime);
      }
      if (alarm.state === "shelved" && eventTime >= alarm.until)
        changed = this.set(alarm, "unack", "unshelved", eventTime);
      if (alarm.state === "normal" && eventTime - alarm.changed > 10 * MINUTE) this.kept.delete(id);
    }
    return changed;
  }

  /** Applies a command; the name of the wrong field, or null. */
  command({ action, alarm_id, operator, until, reason }, eventTime) {
    const alarm = this.kept.get(alarm_id);
    if (!operator) return "operator";
    if (!alarm) return "alarm_id";
    if (action === "ack") {
      const over = alarm.state === "rtn_unack";
      this.acknowledged.push((eventTime - this.onset(alarm.rule)) / 1_000);
      this.set(alarm, over ? "normal" : "ack", "acked", eventTime, operator);
    } else if (action === "shelve") {
      if (!until || until <= eventTime) return "until";
      if (!reason) return "reason";
      alarm.until = until;
      this.set(alarm, "shelved", "shelved", eventTime, operator);
    } else if (action === "unshelve") {
      this.set(alarm, "unack", "unshelved", eventTime, operator);
    } else if (action === "escalate") {
      this.set(alarm, alarm.state, "escalated", eventTime, operator);
    } else {
      return "action";
    }
    return null;
  }

  message(eventTime) {
    const alarms = [...this.kept].map(([id, alarm]) => this.written(id, alarm, eventTime));
    const recent = [...this.kept.values()].filter((a) => eventTime - this.onset(a.rule) < 30 * MINUTE).length;
    const sorted = [...this.acknowledged].sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? null;
    const load = { per_10_min: Math.round((recent / 3) * 10) / 10, median_ack_s: median, flood: false };
    return { venue: this.night.site.id, event_time: eventTime, alarms, load };
  }

  set(alarm, state, change, changed, operator = alarm.operator ?? null) {
    Object.assign(alarm, { state, change, changed, operator, change_no: alarm.change_no + 1 });
    if (state !== "shelved") alarm.until = null;
    return true;
  }

  onset(rule) {
    return KICK_OFF + rule.from * MINUTE;
  }

  idOf(rule) {
    return `${rule.code}/${this.night.site.id}/${rule.place}/${this.onset(rule)}`;
  }

  written(id, alarm, eventTime) {
    const { rule } = alarm;
    const cause = SCRIPT.find((r) => r.code === rule.cause);
    const facts = this.facts(rule, eventTime);
    return {
      alarm_id: id,
      change_no: alarm.change_no,
      state: alarm.state,
      change: alarm.change,
      code: rule.code,
      priority: rule.priority,
      place: { kind: rule.kind, id: rule.place },
      onset: this.onset(rule),
      changed: alarm.changed,
      headline: { key: `alarm.${rule.code.toLowerCase().replace("-", "_")}`, args: facts.args },
      evidence: facts.evidence.map((e) => ({ ...e, profile: PROFILE, from: eventTime - 10_000, to: eventTime })),
      against: facts.against ?? [],
      would_clear: { key: `clear.${rule.code.toLowerCase().replace("-", "_")}`, args: facts.clear },
      certainty: rule.code === "ENTRY-ETA" || rule.code === "ANOMALY" ? "likely" : "observed",
      urgency: rule.code === "DENS" ? "immediate" : "expected",
      severity: rule.priority === "top" || rule.priority === "high" ? "severe" : "moderate",
      exercise: true,
      operator: alarm.operator ?? null,
      until: alarm.until ?? null,
      caused_by: cause ? this.idOf(cause) : null,
    };
  }

  facts(rule, eventTime) {
    const record = recordOf(this.night, rule.place.replace("queue-", ""), eventTime, "fallback");
    const row = this.night.at(minuteOf(eventTime));
    const open = row.flows.reduce((sum, _, i) => sum + capacity(i, minuteOf(eventTime)), 0);
    switch (rule.code) {
      case "ENTRY-ETA": {
        const left = Math.max(0, Math.round(this.night.expected - row.admitted));
        const eta = entryEta(this.night, eventTime).v;
        return {
          args: { eta, p: 0.93 },
          clear: { p: 0.5 },
          evidence: [
            { what: "p_after_deadline", value: 0.93, unit: "1", threshold: 0.9 },
            { what: "entry_eta", value: eta, unit: "ms", threshold: KICK_OFF - 15 * MINUTE },
            { what: "remaining_persons", value: left, unit: "persons" },
            { what: "arrivals_per_min", value: Math.round(row.arriving), unit: "persons/min" },
            { what: "capacity_per_min", value: Math.round(open), unit: "persons/min" },
          ],
          against: [{ what: "p_density_over", value: 0.04, unit: "1" }],
        };
      }
      case "QUEUE-SPILL": {
        const queue = record.queue?.v ?? 0;
        const spill = Math.max(0, Math.round((1_500 - queue) * 1.3));
        return {
          args: { queue, time_to_spill_s: spill },
          clear: { time_to_spill_s: 1_320 },
          evidence: [
            { what: "time_to_spill_s", value: spill, unit: "s", threshold: 1_200 },
            { what: "queue", value: queue, unit: "persons", threshold: 1_500 },
            { what: "wait_s", value: record.wait_s?.v ?? 0, unit: "s" },
          ],
        };
      }
      case "DENS": {
        const density = record.density.v;
        return {
          args: { density },
          clear: { density: 3.1 },
          evidence: [
            { what: "density", value: density, unit: "persons/m2", threshold: 3.6 },
            { what: "p_density_over", value: 0.88, unit: "1", threshold: 0.8 },
          ],
        };
      }
      case "CAP-OCC": {
        const share = Math.round((record.occupancy.v / 25_000) * 1000) / 1000;
        return {
          args: { share },
          clear: { share: 0.88 },
          evidence: [{ what: "occupancy_share", value: share, unit: "1", threshold: 0.9 }],
        };
      }
      case "BLIND": {
        const silence = record.age_s.sensors;
        return {
          args: { silence_s: silence },
          clear: { coverage: 0.7 },
          evidence: [
            { what: "coverage", value: 0, unit: "1", threshold: 0.7 },
            { what: "silence_s", value: silence, unit: "s", threshold: 60 },
          ],
        };
      }
      default:
        return {
          args: { flow_in: (record.in ?? 0) * 6, expected_in: 180 },
          clear: { score: 0.05 },
          evidence: [
            { what: "score", value: 0.004, unit: "1", threshold: 0.01 },
            { what: "flow_in", value: (record.in ?? 0) * 6, unit: "persons/min" },
            { what: "expected_in", value: 180, unit: "persons/min" },
          ],
        };
    }
  }
}

/** When entry will be complete, with a band that narrows as it comes nearer. */
export function entryEta(night, eventTime) {
  const from = minuteOf(eventTime);
  let minute = Math.floor(from);
  while (minute < 60 && night.at(minute).admitted < night.expected * 0.985) minute++;
  const spread = Math.max(4, (minute - from) * 0.22) * MINUTE;
  const v = KICK_OFF + minute * MINUTE;
  return { v, lo: Math.max(eventTime, v - spread), hi: v + spread * 1.3 };
}
