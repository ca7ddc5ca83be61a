// Places of a site by id, and which of them stand for which on the map: a gate's queue has no shape of its own and is shown at
// its gate.
import type { Alarm, Link, Site } from "../contract/types";
import type { Named } from "../words/places";

export interface Place extends Named {
  capacity: number | null;
  area: number | null;
}

export function findPlace(site: Site, id: string): Place {
  const zone = site.zones.find((z) => z.id === id);
  if (zone) return { ...zone, capacity: zone.capacity ?? null, area: zone.area_m2 ?? null };
  const link = site.links.find((l) => l.id === id);
  if (link) return { id, name: link.name, kind: link.kind, capacity: null, area: null };
  const approach = site.approaches?.find((a) => a.id === id);
  if (approach) return { id, name: approach.name, kind: "approach", capacity: null, area: null };
  if (id === site.id) return { id, name: site.name, kind: "venue", capacity: site.capacity, area: null };
  return { id, name: id, kind: "unknown", capacity: null, area: null };
}

/** The id under which a place is marked on the map. */
export function markId(site: Site, id: string): string {
  const zone = site.zones.find((z) => z.id === id);
  if (zone?.shape || !zone) return id;
  return gateOf(site, id)?.id ?? id;
}

/** The place that an alarm is told of: the gate, where it is the gate's queue. */
export function alarmPlace(site: Site, alarm: Alarm): Place {
  return findPlace(site, markId(site, alarm.place.id));
}

/** The zone that a gate's queue stands in, or null where the queue has a drawn zone or none of its own. */
export function queueOf(site: Site, gate: Link): string | null {
  const zone = site.zones.find((z) => z.id === gate.from);
  return zone?.kind === "gate_queue" ? zone.id : null;
}

/** The gate that a queue stands before; the link by which people walk into the queue is not it. */
function gateOf(site: Site, queue: string): Link | undefined {
  return site.links.find((l) => l.at && l.kind === "gate" && (l.from === queue || l.to === queue));
}
