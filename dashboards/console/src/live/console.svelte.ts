// The one store: what the server said, what the operator chose, what was sent and not yet confirmed. Views read it; only its
// methods change it. Without a choice the most urgent alarm is followed, so that an unattended wall shows what matters.
import { order, rank, walk } from "../alarms/order";
import * as api from "../contract/api";
import type { Alarm, Command, PlaceRecord, Site, Status, VenueEntry } from "../contract/types";
import { markId } from "../site/places";
import { language } from "../words/language.svelte";
import { calling, NOTHING, reduce, silence, type Happening, type Live } from "./reduce";
import { Stream } from "./stream";

const OPERATOR = "midan.operator";
const PATIENCE = 15_000;
/** So often the site is asked for anew: another configuration of the venue may be in force by now. */
const RENEW_EVERY = 30_000;

export type Choice = { kind: "follow" } | { kind: "alarm"; id: string } | { kind: "place"; id: string };
export type Lock = "open" | "asked" | "wrong" | "unreachable";
export type Sending =
  | { state: "sent"; at: number; action: Command["action"]; from: Alarm }
  | { state: "refused"; why: string }
  | { state: "failed" };

export class Console {
  venues: VenueEntry[] = $state.raw([]);
  site: Site | null = $state.raw(null);
  status: Status | null = $state.raw(null);
  live: Live = $state.raw(NOTHING);
  choice: Choice = $state.raw({ kind: "follow" });
  lock: Lock = $state("open");
  operator = $state(localStorage.getItem(OPERATOR) ?? "");
  sendings: ReadonlyMap<string, Sending> = $state.raw(new Map());
  called: Alarm[] = $state.raw([]);
  now = $state(Date.now());

  ordered = $derived(order(this.live.alarms));
  records = $derived(new Map<string, PlaceRecord>(this.live.picture?.places.map((p) => [p.zone, p]) ?? []));
  quiet = $derived(silence(this.live, this.now, this.site?.pane_s ?? 10, this.status?.speed ?? 1));
  stale = $derived(this.quiet !== null || this.live.picture === null);

  alarm = $derived.by(() => {
    const choice = this.choice;
    if (choice.kind === "alarm") return this.live.alarms.find((a) => a.alarm_id === choice.id) ?? null;
    return choice.kind === "follow" ? (this.ordered.active[0] ?? null) : null;
  });

  place = $derived.by(() => {
    if (this.choice.kind === "place") return this.choice.id;
    return this.alarm?.place.id ?? this.site?.zones.find((z) => z.kind === "bowl")?.id ?? null;
  });

  private stream: Stream | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    setInterval(() => (this.now = Date.now()), 1_000);
    setInterval(() => void this.renewSite(), RENEW_EVERY);
    void this.enter();
  }

  async enter(): Promise<void> {
    clearTimeout(this.retry);
    try {
      const [venues, status] = await Promise.all([api.venues(), api.status()]);
      this.venues = venues;
      this.status = status;
      this.lock = "open";
      const wanted = decodeURIComponent(location.hash.slice(1));
      const venue = venues.find((v) => v.id === wanted) ?? venues[0];
      if (venue) await this.watch(venue.id);
    } catch (error) {
      this.refusedEntry(error);
    }
  }

  async unlock(token: string): Promise<void> {
    api.rememberToken(token);
    await this.enter();
    if (this.lock === "asked") this.lock = "wrong";
  }

  async watch(venue: string): Promise<void> {
    const site = await api.site(venue);
    this.stream?.close();
    this.site = site;
    this.live = NOTHING;
    this.choice = { kind: "follow" };
    language.zone = site.time_zone;
    language.offset = null;
    location.hash = encodeURIComponent(venue);
    this.stream = new Stream(venue, (happening) => this.happened(happening));
  }

  /** Draws what is in force now. That nobody answers is the stream's to tell. */
  async renewSite(): Promise<void> {
    const before = this.site;
    if (!before || this.lock !== "open") return;
    const site = await api.site(before.id).catch(() => null);
    if (site && this.site === before && JSON.stringify(site) !== JSON.stringify(before)) this.site = site;
  }

  chooseAlarm(id: string): void {
    this.choice = { kind: "alarm", id };
  }

  /** Chooses a place: the most urgent alarm there if there is one, else the place by itself. */
  choosePlace(id: string): void {
    const here = this.alarmsAt(id)[0];
    this.choice = here ? { kind: "alarm", id: here.alarm_id } : { kind: "place", id };
  }

  follow(): void {
    this.choice = { kind: "follow" };
  }

  step(by: 1 | -1): void {
    const all = walk(this.ordered);
    if (all.length === 0) return;
    const at = all.findIndex((a) => a.alarm_id === this.alarm?.alarm_id);
    const next = at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by));
    this.choice = { kind: "alarm", id: (all[next] as Alarm).alarm_id };
  }

  alarmsAt(place: string): Alarm[] {
    const here = this.ordered.active.filter((a) => this.site && markId(this.site, a.place.id) === place);
    return here.sort((a, b) => rank(a.priority) - rank(b.priority));
  }

  signOn(operator: string): void {
    this.operator = operator.trim();
    localStorage.setItem(OPERATOR, this.operator);
  }

  /** The time that a shelf counts from: the venue's, not this browser's. */
  get eventTime(): number {
    return this.live.picture?.event_time ?? this.now;
  }

  async act(alarm: Alarm, action: Command["action"], more: Pick<Command, "until" | "reason"> = {}): Promise<void> {
    if (!this.site || !this.operator) return;
    this.note(alarm.alarm_id, { state: "sent", at: Date.now(), action, from: alarm });
    try {
      const command = { venue: this.site.id, operator: this.operator, action, alarm_id: alarm.alarm_id, ...more };
      await api.send(command);
    } catch (error) {
      if (error instanceof api.Refused) this.note(alarm.alarm_id, { state: "refused", why: error.message });
      else this.note(alarm.alarm_id, { state: "failed" });
      if (error instanceof api.Unauthorised) this.lock = "asked";
    }
  }

  /** What became of the last action on this alarm, if it is still open. */
  sending(alarm: Alarm): "none" | "sent" | "unconfirmed" | "refused" | "failed" {
    const sending = this.sendings.get(alarm.alarm_id);
    if (!sending) return "none";
    if (sending.state !== "sent") return sending.state;
    const changed = alarm.change_no > sending.from.change_no;
    const done = sending.action === "escalate" ? changed : alarm.state !== sending.from.state;
    if (done) return "none";
    return this.now - sending.at > PATIENCE ? "unconfirmed" : "sent";
  }

  private note(id: string, sending: Sending): void {
    this.sendings = new Map(this.sendings).set(id, sending);
  }

  private happened(happening: Happening): void {
    const before = this.live;
    this.live = reduce(before, happening);
    language.offset = this.live.picture?.utc_offset_s ?? null;
    if (happening.kind === "alarms" && before.heardAt !== null) {
      const fresh = calling(before.alarms, this.live.alarms);
      if (fresh.length > 0) this.called = fresh;
    }
    if (happening.kind === "lost") void this.askWhetherLocked();
  }

  private async askWhetherLocked(): Promise<void> {
    try {
      this.status = await api.status();
    } catch (error) {
      if (error instanceof api.Unauthorised) this.refusedEntry(error);
    }
  }

  private refusedEntry(error: unknown): void {
    if (error instanceof api.Unauthorised) {
      this.stream?.close();
      this.lock = "asked";
      return;
    }
    this.lock = "unreachable";
    this.retry = setTimeout(() => void this.enter(), 3_000);
  }
}

export const desk = new Console();
