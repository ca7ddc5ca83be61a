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
      // Where only some of its sensors are silent the share of those that report is the matter, not how long.
      if (alarm.headline.args?.silence_s === undefined)
        return either(fact("coverage"), (part) => h.blind_share(place, say.percent(part)), h.blind(place));
      return either(fact("silence_s"), (s) => h.blind_for(place, say.duration(s)), h.blind(place));
    case "alarm.plan_split":
      return both(
        fact("share"),
        fact("planned"),
        (a, b) => h.plan_split_share(place, say.percent(a), say.percent(b)),
        h.plan_split(place),
      );
    case "alarm.presence":
      return presence((...names) => firstNumber(alarm.headline.args, names), place, say, words);
    case "alarm.cap_sold":
      return both(
        fact("sold"),
        fact("capacity"),
        (a, b) => h.cap_sold_for(place, say.number(a), say.number(b)),
        h.cap_sold(place),
      );
    case "alarm.sibling":
      return both(
        fact("share"),
        fact("least"),
        (a, b) => h.sibling_at(place, say.percent(a), say.percent(b)),
        h.sibling(place),
      );
    case "alarm.exit_plan": {
      const heads = fact("occupancy");
      const write = (open: number, exits: number) =>
        h.exit_plan_open(place, say.number(open), say.number(exits), say.persons(heads ?? 0));
      return heads === undefined
        ? h.exit_plan(place)
        : both(fact("exits_open"), fact("exits"), write, h.exit_plan(place));
    }
    case "alarm.breach":
      if (fact("doors") !== undefined) return h.breach_doors(say.number(fact("doors") ?? 0));
      return both(
        fact("counted"),
        fact("scanned"),
        (a, b) => h.breach_counted(place, say.number(a), say.number(b)),
        h.breach(place),
      );
    case "alarm.scan_mix": {
      const gates = fact("gates") ?? 1;
      const write = (part: number) =>
        gates > 1 ? h.scan_mix_many(say.number(gates), say.percent(part)) : h.scan_mix_at(place, say.percent(part));
      return either(fact("share"), write, h.scan_mix(place));
    }
    case "alarm.call_cluster":
      return either(fact("calls"), (n) => h.call_cluster_of(place, say.number(n)), h.call_cluster(place));
    case "alarm.egress_transit":
      return both(
        fact("waiting"),
        fact("room"),
        (a, b) => h.egress_transit_of(place, say.persons(a), say.number(b)),
        h.egress_transit(place),
      );
    case "alarm.model_off":
      return h.model_off;
    case "alarm.heat":
      return both(
        fact("wait_s"),
        fact("wbgt_c"),
        (a, b) => h.heat_at(place, say.duration(a), `${say.number(b, 1)}\u202f°C`),
        h.heat(place),
      );
    case "alarm.flow_break":
      return either(
        fact("density"),
        (d) => h.flow_break_at(place, words.units.density(say.number(d, 1))),
        h.flow_break(place),
      );
    case "alarm.turb":
      return either(fact("density"), (d) => h.turb_at(place, words.units.density(say.number(d, 1))), h.turb(place));
    case "alarm.counter":
      return either(fact("share", "counterflow"), (part) => h.counter_at(place, say.percent(part)), h.counter(place));
    case "alarm.anomaly": {
      const expected = fact("expected_in");
      const write = (n: number) => words.units.perMinute(say.number(n));
      if (expected === undefined) return h.anomaly(place);
      return either(fact("flow_in"), (flow) => h.anomaly_flow(place, write(flow), write(expected)), h.anomaly(place));
    }
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
      return either(fact("spill_s", "time_to_spill_s", "time_s"), (s) => c.queue_spill(say.duration(s)), c.unknown);
    case "clear.plan_split":
      return either(fact("share"), (part) => c.plan_split(say.percent(part)), c.unknown);
    case "clear.presence": {
      const rate = fact("arrivals_per_min");
      if (rate !== undefined) return c.presence_fast(words.units.perMinute(say.number(rate)));
      return either(fact("inside", "occupancy"), (n) => c.presence(say.persons(n)), c.unknown);
    }
    case "clear.cap_sold":
      return either(fact("capacity"), (n) => c.cap_sold(say.number(n)), c.unknown);
    case "clear.sibling":
      return either(fact("share"), (part) => c.sibling(say.percent(part)), c.unknown);
    case "clear.exit_plan":
      return either(fact("occupancy"), (n) => c.exit_plan(say.persons(n)), c.unknown);
    case "clear.breach":
      if (fact("doors") !== undefined) return c.breach_doors(say.number(fact("doors") ?? 0));
      return either(fact("excess"), (n) => c.breach(say.number(n)), c.unknown);
    case "clear.scan_mix":
      return either(fact("share"), (part) => c.scan_mix(say.percent(part)), c.unknown);
    case "clear.call_cluster":
      return either(fact("calls"), (n) => c.call_cluster(say.number(n)), c.unknown);
    case "clear.egress_transit":
      return either(fact("waiting"), (n) => c.egress_transit(say.persons(n)), c.unknown);
    case "clear.model_off":
      return c.model_off;
    case "clear.heat":
      return either(fact("wait_s"), (s) => c.heat(say.duration(s)), c.unknown);
    case "clear.blind":
      return either(fact("coverage"), (part) => c.blind(say.percent(part)), c.unknown);
    case "clear.flow_break":
      return c.flow_break;
    case "clear.turb":
      return c.turb;
    case "clear.counter":
      return either(fact("share"), (part) => c.counter(say.percent(part)), c.unknown);
    case "clear.anomaly":
      return either(fact("score", "p"), (part) => c.anomaly(say.percent(part)), c.unknown);
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

function presence(fact: Facts, place: string, say: Speech, words: Words): string {
  const h = words.headlines;
  const [inside, rate, heads, planned] = [
    fact("inside"),
    fact("arrivals_per_min"),
    fact("occupancy"),
    fact("planned", "usual"),
  ];
  if (planned === undefined) return h.presence(place);
  if (rate !== undefined && inside === undefined)
    return h.presence_fast(place, words.units.perMinute(say.number(rate)), say.number(planned));
  if (heads !== undefined) return h.presence_usual(place, say.persons(heads), say.number(planned));
  return either(inside, (n) => h.presence_early(place, say.persons(n), say.number(planned)), h.presence(place));
}

function both(
  a: number | undefined,
  b: number | undefined,
  say: (a: number, b: number) => string,
  otherwise: string,
): string {
  return a === undefined || b === undefined ? otherwise : say(a, b);
}

function either(value: number | undefined, say: (value: number) => string, otherwise: string): string {
  return value === undefined ? otherwise : say(value);
}
