// From an alarm's keys and figures to sentences. The arguments of the headline come first; what they leave out is looked up in
// the evidence, and what is in neither leaves the shorter sentence.
import type { Alarm } from "../contract/types";
import type { Words } from "../words/catalogue";
import { writeMeasure } from "../words/measures";
import type { Speech } from "../words/speech";

type Facts = (...names: string[]) => number | undefined;

export function headline(alarm: Alarm, place: string, say: Speech, words: Words): string {
  const fact = facts(alarm);
  const h = words.headlines;
  switch (alarm.headline.key) {
    case "alarm.entry_eta":
      return either(fact("eta", "entry_eta"), (eta) => h.entry_eta_at(say.clock(eta)), h.entry_eta(place));
    case "alarm.cap_occ":
      return either(
        fact("share", "occupancy_share"),
        (part) => h.cap_occ_at(place, say.percent(part)),
        h.cap_occ(place),
      );
    case "alarm.dens":
      return either(fact("density"), (d) => h.dens_at(place, words.units.density(say.number(d, 1))), h.dens(place));
    case "alarm.queue_spill":
      return either(
        fact("time_to_spill_s", "time_s"),
        (s) => (s <= 0 ? h.queue_spill_now(place) : h.queue_spill_in(place, say.duration(s))),
        h.queue_spill(place),
      );
    case "alarm.blind":
      return either(fact("silence_s"), (s) => h.blind_for(place, say.duration(s)), h.blind(place));
    case "alarm.anomaly": {
      const expected = fact("expected_in");
      const write = (n: number) => words.units.perMinute(say.number(n));
      if (expected === undefined) return h.anomaly(place);
      return either(fact("flow_in"), (flow) => h.anomaly_flow(place, write(flow), write(expected)), h.anomaly(place));
    }
    case "alarm.clock":
      return either(
        fact("offset_s", "clock_offset_s"),
        (s) => (s < 0 ? h.clock_behind(place, say.duration(-s)) : h.clock_ahead(place, say.duration(s))),
        h.clock(place),
      );
    default:
      return h.unknown(place, alarm.code);
  }
}

export function wouldClear(alarm: Alarm, say: Speech, words: Words): string {
  const c = words.clears;
  const clear = alarm.would_clear;
  const fact = (...names: string[]) => firstNumber(clear?.args, names);
  switch (clear?.key) {
    case "clear.entry_eta":
      return either(fact("p"), (p) => c.entry_eta(say.percent(p)), c.unknown);
    case "clear.cap_occ":
      return either(fact("share", "occupancy_share", "p"), (part) => c.cap_occ(say.percent(part)), c.unknown);
    case "clear.dens":
      return either(fact("density"), (d) => c.dens(words.units.density(say.number(d, 1))), c.unknown);
    case "clear.queue_spill":
      return either(fact("time_to_spill_s", "time_s"), (s) => c.queue_spill(say.duration(s)), c.unknown);
    case "clear.blind":
      return either(fact("coverage"), (part) => c.blind(say.percent(part)), c.unknown);
    case "clear.anomaly":
      return either(fact("score", "p"), (part) => c.anomaly(say.percent(part)), c.unknown);
    case "clear.clock":
      return either(fact("events"), (n) => c.clock(say.number(n)), c.unknown);
    default:
      return c.unknown;
  }
}

/** The figure that says how near it is: the hour, the time left or the first value of the evidence. */
export function critical(alarm: Alarm, say: Speech, words: Words): string {
  const first = alarm.evidence[0];
  if (first?.value == null) return "";
  return writeMeasure(first.what, first.value, first.unit, say, words);
}

export function stateWords(alarm: Alarm, say: Speech, words: Words): string {
  if (alarm.state === "ack" && alarm.operator) return words.states.ackBy(alarm.operator);
  if (alarm.state === "shelved" && alarm.until != null) return words.states.shelvedUntil(say.clock(alarm.until));
  const known = (words.states as Record<string, unknown>)[alarm.state];
  return typeof known === "string" ? known : alarm.state;
}

function facts(alarm: Alarm): Facts {
  return (...names) => {
    const given = firstNumber(alarm.headline.args, names);
    if (given !== undefined) return given;
    const shown = alarm.evidence.find((e) => names.includes(e.what));
    return shown?.value ?? undefined;
  };
}

function firstNumber(args: Alarm["headline"]["args"] | undefined, names: string[]): number | undefined {
  for (const name of names) {
    const value = args?.[name];
    if (typeof value === "number") return value;
  }
  return undefined;
}

function either(value: number | undefined, say: (value: number) => string, otherwise: string): string {
  return value === undefined ? otherwise : say(value);
}
