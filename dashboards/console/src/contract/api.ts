// The calls of docs/API.md. Addresses are relative, so the console works below any path; the token, when there is one, lives in
// the session's storage only and goes out as a header, or in the address of the stream because EventSource cannot set headers.
import type { Command, Explanation, HistoryPoint, Site, Status, VenueEntry } from "./types";

const TOKEN = "midan.token";
const ROOT = "api/v1/";

/** The server wants a token, or another one. */
export class Unauthorised extends Error {}

/** The server refused and said why. */
export class Refused extends Error {}

export function rememberToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

export const venues = () => get<VenueEntry[]>("venues");
export const site = (venue: string) => get<Site>(`venues/${encodeURIComponent(venue)}`);
export const status = () => get<Status>("status");

export async function history(
  venue: string,
  place: string,
  minutes: number,
  signal: AbortSignal,
): Promise<HistoryPoint[]> {
  const path = `venues/${encodeURIComponent(venue)}/places/${encodeURIComponent(place)}/history?minutes=${minutes}`;
  const answer = await get<{ points: HistoryPoint[] }>(path, signal);
  return answer.points;
}

/** Why the zone's window that is to close next is still open. */
export const explain = (venue: string, zone: string) =>
  get<Explanation>(`venues/${encodeURIComponent(venue)}/explain?zone=${encodeURIComponent(zone)}`);

export async function send(command: Command): Promise<string> {
  const answer = await fetch(ROOT + "commands", {
    method: "POST",
    headers: { ...authorisation(), "content-type": "application/json" },
    body: JSON.stringify(command),
  });
  if (answer.status === 401) throw new Unauthorised();
  const body = (await answer.json().catch(() => ({}))) as { command_id?: string; error?: string };
  if (!answer.ok || !body.command_id) throw new Refused(body.error ?? String(answer.status));
  return body.command_id;
}

export function streamAddress(venue: string): string {
  const token = sessionStorage.getItem(TOKEN);
  const address = `${ROOT}venues/${encodeURIComponent(venue)}/stream`;
  return token ? `${address}?token=${encodeURIComponent(token)}` : address;
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(ROOT + path, { headers: authorisation(), signal: signal ?? null });
  if (answer.status === 401) throw new Unauthorised();
  if (!answer.ok) throw new Refused(String(answer.status));
  return (await answer.json()) as T;
}

function authorisation(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { authorization: `Bearer ${token}` } : {};
}
