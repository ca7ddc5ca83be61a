// Moving on the map with the arrow keys: from a place to the nearest one in that direction, where straying sideways costs double.
import type { Point } from "./geometry";

const DIRECTIONS: Record<string, Point> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

export function neighbour(places: { id: string; at: Point }[], from: string, key: string): string | null {
  const direction = DIRECTIONS[key];
  const start = places.find((p) => p.id === from);
  if (!direction || !start) return null;
  let best: string | null = null;
  let cost = Infinity;
  for (const { id, at } of places) {
    const dx = at[0] - start.at[0];
    const dy = at[1] - start.at[1];
    const along = dx * direction[0] + dy * direction[1];
    const aside = Math.abs(dx * direction[1]) + Math.abs(dy * direction[0]);
    if (along <= 1 || along + 2 * aside >= cost) continue;
    [best, cost] = [id, along + 2 * aside];
  }
  return best;
}
