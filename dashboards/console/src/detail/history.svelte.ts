// The recent past of the place in view: asked for when the place changes and again as event time moves on, at most every two
// seconds of the wall clock, so that a fast replay does not flood the server.
import { history } from "../contract/api";
import type { HistoryPoint } from "../contract/types";

const MINUTES = 120;
const EVENT_STEP = 60_000;
const WALL_STEP = 2_000;

export class Past {
  points: HistoryPoint[] = $state.raw([]);
  private key = "";
  private upTo = -Infinity;
  private askedAt = -Infinity;
  private abort: AbortController | null = null;

  /** Keeps the past of `place` up to `eventTime`; call it with every picture. */
  follow(venue: string, place: string, eventTime: number): void {
    const key = `${venue}/${place}`;
    const moved = key !== this.key;
    if (moved) this.points = [];
    const due = Math.abs(eventTime - this.upTo) >= EVENT_STEP && Date.now() - this.askedAt >= WALL_STEP;
    if (!moved && !due) return;
    this.key = key;
    this.upTo = eventTime;
    this.askedAt = Date.now();
    void this.ask(venue, place);
  }

  private async ask(venue: string, place: string): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    try {
      const points = await history(venue, place, MINUTES, abort.signal);
      if (!abort.signal.aborted) this.points = points;
    } catch {
      if (!abort.signal.aborted) this.upTo = -Infinity;
    }
  }
}
