// Where people are going: the net flow of each way between two drawn zones, as an arrow to place. Small ones beside a great one
// are left out, so that the arrows that are drawn say where the crowd moves.
import type { PlaceRecord, Site } from "../contract/types";
import { anchor, type Point } from "./geometry";

export interface FlowView {
  id: string;
  at: Point;
  /** Where it points, degrees clockwise from the right. */
  deg: number;
  /** Net persons/min, positive. */
  net: number;
  /** Its share of the greatest net flow now. */
  share: number;
}

/** Net flows below this, persons/min, are a few people's ways. */
const LEAST = 10;
/** Net flows below this share of the greatest are left out. */
const LEAST_SHARE = 0.15;

export function viewFlows(site: Site, records: Map<string, PlaceRecord>): FlowView[] {
  const shapes = new Map(site.zones.map((zone) => [zone.id, zone.shape ?? null]));
  const flows = site.links.flatMap((link) => {
    const [from, to] = [shapes.get(link.from), shapes.get(link.to)];
    const record = records.get(link.id);
    if (link.kind === "gate" || !link.at || !from || !to || record?.flow == null || record.coverage === 0) return [];
    const net = record.flow - (record.backward_flow ?? 0);
    if (Math.abs(net) < LEAST) return [];
    const [tail, head] = net > 0 ? [anchor(from), anchor(to)] : [anchor(to), anchor(from)];
    const deg = (Math.atan2(head[1] - tail[1], head[0] - tail[0]) * 180) / Math.PI;
    return [{ id: link.id, at: link.at, deg, net: Math.abs(net), share: 0 }];
  });
  const greatest = Math.max(...flows.map((flow) => flow.net));
  return flows.map((flow) => ({ ...flow, share: flow.net / greatest })).filter((flow) => flow.share >= LEAST_SHARE);
}
