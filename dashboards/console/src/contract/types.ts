// The server's words as types: docs/API.md, field by field. Times are epoch milliseconds UTC. A field that cannot be known is
// absent (or null), never zero, so everything measured is optional here and the views have to say what they do without it.

export type Shape =
  | {
      kind: "arc";
      cx: number;
      cy: number;
      rx0: number;
      ry0: number;
      rx1: number;
      ry1: number;
      from_deg: number;
      to_deg: number;
    }
  | { kind: "box"; x: number; y: number; w: number; h: number }
  | { kind: "polygon"; points: [number, number][] }
  | { kind: "ellipse"; cx: number; cy: number; rx: number; ry: number };

export interface VenueEntry {
  id: string;
  name: string;
  city: string;
  time_zone: string;
  region: string;
}

export interface Zone {
  id: string;
  name: string;
  kind: string;
  perimeter?: string | null;
  area_m2?: number | null;
  capacity?: number | null;
  table?: string | null;
  shape?: Shape | null;
}

export interface Link {
  id: string;
  name: string;
  kind: string;
  from: string;
  to: string;
  width_m?: number | null;
  lanes?: number | null;
  at?: [number, number] | null;
}

export interface Match {
  id: string;
  name: string;
  home?: string;
  away?: string;
  kick_off: number;
  expected_attendance?: number | null;
}

export interface Site extends VenueEntry {
  capacity: number;
  illustrative?: boolean;
  pane_s: number;
  perimeters: { id: string; name: string; shape?: Shape | null }[];
  zones: Zone[];
  links: Link[];
  approaches?: { id: string; name: string }[];
  sources: { id: string; feed: string }[];
  matches: Match[];
}

/** A value with the band that holds it in nine cases of ten. */
export interface Estimate {
  v: number;
  lo?: number;
  hi?: number;
}

export interface ForecastStep {
  h_s: number;
  what: string;
  q10: number;
  q50: number;
  q90: number;
}

export interface ModelName {
  name: string;
  version: string;
  sha256: string;
}

export interface PlaceRecord {
  kind: string;
  zone: string;
  from: number;
  to: number;
  in?: number | null;
  out?: number | null;
  occupancy?: Estimate | null;
  density?: Estimate | null;
  los?: { table: string; grade: string } | null;
  age_s?: Record<string, number> | null;
  coverage?: number | null;
  revision?: number;
  forecast?: ForecastStep[] | null;
  model?: ModelName | "fallback" | null;
  score?: number | null;
  flow?: number | null;
  backward_flow?: number | null;
  queue?: Estimate | null;
  wait_s?: Estimate | null;
  lanes_open?: number | null;
  capacity_per_min?: number | null;
}

export interface ModelState extends Partial<ModelName> {
  state: "active" | "fallback" | (string & {});
  why?: string | null;
}

export interface MatchState {
  id: string;
  name: string;
  kick_off: number;
  planned_kick_off?: number | null;
  phase: string;
  expected_attendance?: number | null;
  admitted?: number | null;
}

export interface Feed {
  source: string;
  feed: string;
  watermark?: number | null;
  age_s?: number | null;
  idle: boolean;
  reporting: number;
  expected: number;
  quarantined?: string[] | null;
}

export interface Picture {
  venue: string;
  event_time: number;
  watermark: number;
  coverage: number;
  delay_s?: number | null;
  /** The venue's offset from UTC at that time, s. */
  utc_offset_s?: number | null;
  match?: MatchState | null;
  model?: { flow?: ModelState | null; anomaly?: ModelState | null } | null;
  ledger?: { imbalance: number; [count: string]: number } | null;
  entry_eta?: Estimate | null;
  places: PlaceRecord[];
  feeds: Feed[];
}

export type Priority = "top" | "high" | "medium" | "low";

export type Arguments = Record<string, number | string | null>;

export interface Evidence {
  what: string;
  value?: number | null;
  unit?: string;
  threshold?: number | null;
  profile?: string;
  from?: number;
  to?: number;
}

export interface Alarm {
  alarm_id: string;
  change_no: number;
  state: string;
  change: string;
  code: string;
  priority: Priority;
  place: { kind: string; id: string };
  onset: number;
  changed: number;
  headline: { key: string; args: Arguments };
  evidence: Evidence[];
  against?: Evidence[] | null;
  would_clear?: { key: string; args: Arguments } | null;
  certainty?: string;
  urgency?: string;
  severity?: string;
  exercise?: boolean;
  operator?: string | null;
  until?: number | null;
  caused_by?: string | null;
}

export interface Load {
  per_10_min?: number | null;
  median_ack_s?: number | null;
  flood: boolean;
}

export interface AlarmsMessage {
  venue: string;
  event_time: number;
  alarms: Alarm[];
  load: Load;
}

export interface HistoryPoint {
  t: number;
  in?: number | null;
  out?: number | null;
  occupancy?: Estimate | null;
  density?: number | null;
  queue?: number | null;
}

/** A source that has not passed a window. */
export interface Holder {
  source: string;
  topic: string;
  partition: number;
  watermark?: number | null;
  wants: number;
  read_to?: number | null;
  set_aside_at?: number | null;
}

export type WindowState = "not_begun" | "open" | "asking" | "closed" | "revised" | "past";

export interface Explanation {
  venue: string;
  zone: string;
  from: number;
  to: number;
  state: WindowState;
  revision?: number | null;
  holders: Holder[];
  reports?: number | null;
  turned_away: { late: number; quarantined: number };
  wrong_clocks: { sensor: string; offset_ms: number; events: number }[];
}

export interface Status {
  version: string;
  commit: string;
  started: number;
  shards: number;
  mode: "live" | "demo" | (string & {});
  speed?: number | null;
}

export interface Command {
  venue: string;
  operator: string;
  action: "ack" | "shelve" | "unshelve" | "escalate";
  alarm_id: string;
  until?: number;
  reason?: string;
}
