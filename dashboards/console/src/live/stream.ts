// One EventSource per venue, opened again after a loss with growing waits: 1, 2, 4 … 30 s, with a little chance in them so that
// a wall of consoles does not come back all at once. A picture that arrives ends the growth.
import { streamAddress } from "../contract/api";
import type { AlarmsMessage, Picture } from "../contract/types";
import type { Happening } from "./reduce";

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

export class Stream {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private losses = 0;
  private closed = false;

  constructor(
    private readonly venue: string,
    private readonly tell: (happening: Happening) => void,
  ) {
    this.open();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.source?.close();
  }

  private open(): void {
    const source = new EventSource(streamAddress(this.venue));
    this.source = source;
    source.addEventListener("open", () => this.tell({ kind: "opened" }));
    source.addEventListener("picture", (event) => {
      this.losses = 0;
      this.tell({ kind: "picture", picture: parse<Picture>(event), at: Date.now() });
    });
    source.addEventListener("alarms", (event) =>
      this.tell({ kind: "alarms", message: parse<AlarmsMessage>(event), at: Date.now() }),
    );
    source.addEventListener("error", () => this.lost(source));
  }

  private lost(source: EventSource): void {
    source.close();
    if (this.closed) return;
    const wait = backOff(this.losses++, Math.random());
    this.tell({ kind: "lost", retryAt: Date.now() + wait });
    this.timer = setTimeout(() => this.open(), wait);
  }
}

/** The wait after `losses` earlier losses; `chance` in [0, 1) spreads it by up to a quarter. */
export function backOff(losses: number, chance: number): number {
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(losses, 10));
  return Math.round(wait * (1 - chance / 4));
}

function parse<T>(event: MessageEvent<string>): T {
  return JSON.parse(event.data) as T;
}
