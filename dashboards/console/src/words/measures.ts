// How the value of a piece of evidence is written. The meaning of `what` decides, the unit only helps where `what` is new.
import type { Words } from "./catalogue";
import type { Speech } from "./speech";

type Writer = (value: number, say: Speech, words: Words) => string;

const persons: Writer = (value, say) => say.persons(value);
const share: Writer = (value, say) => say.percent(value);
const perMinute: Writer = (value, say, words) => words.units.perMinute(say.number(value));
const density: Writer = (value, say, words) => words.units.density(say.number(value, 1));
const span: Writer = (value, say) => say.duration(value);
const hour: Writer = (value, say) => say.clock(value);

const plain: Writer = (value, say) => say.number(value);
const ratio: Writer = (value, say) => say.number(value, 1);
const metres: Writer = (value, say) => `${say.number(value, 1)}\u202fm`;
const degrees: Writer = (value, say) => `${say.number(value, 1)}\u202f°C`;

const BY_WHAT: Record<string, Writer> = {
  p_after_deadline: share,
  entry_eta: hour,
  remaining_persons: persons,
  capacity_per_min: perMinute,
  occupancy: persons,
  occupancy_share: share,
  density,
  p_density_over: share,
  approach_share: share,
  approach_share_tonight: share,
  sold_share: share,
  sibling_share: share,
  sibling_ratio: ratio,
  rejected_share: share,
  exits_shut: plain,
  exits_untold: plain,
  doors_forced: plain,
  gates_over: plain,
  calls: plain,
  calls_in_a_row: plain,
  models_silent: plain,
  calls_usual: ratio,
  services_per_min: perMinute,
  queue: persons,
  wait_s: span,
  time_to_spill_s: span,
  arrivals_per_min: perMinute,
  coverage: share,
  silence_s: span,
  score: share,
  score_z: (value, say) => say.number(value, 1),
  score_learnt: share,
  flow_in: perMinute,
  expected_in: perMinute,
};

const BY_UNIT: Record<string, Writer> = {
  s: span,
  ms: hour,
  "1": share,
  persons,
  "persons/min": perMinute,
  m: metres,
  degC: degrees,
};

export function writeMeasure(what: string, value: number, unit: string | undefined, say: Speech, words: Words): string {
  const writer = BY_WHAT[what] ?? BY_UNIT[unit ?? ""];
  return writer ? writer(value, say, words) : say.number(value, Number.isInteger(value) ? 0 : 2);
}
