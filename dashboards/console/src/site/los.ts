// Levels of service. Grey is normal: A, B and C differ only in lightness; colour begins at D and rises in luminance to F, so the
// order survives a colour-blind eye and a grey print. A place without data is "blind", which is drawn dashed, never calm; one that
// has a head count but no table to grade it by (seats) is "ungraded" and shows its count.
import type { PlaceRecord } from "../contract/types";

export type Level = "A" | "B" | "C" | "D" | "E" | "F" | "ungraded" | "blind";

const GRADES = ["A", "B", "C", "D", "E", "F"];
const NOTABLE_WAIT_S = 600;

export function levelOf(record: PlaceRecord | undefined): Level {
  const grade = record?.los?.grade;
  if (!record || record.coverage === 0) return "blind";
  if (grade && GRADES.includes(grade)) return grade as Level;
  return record.occupancy == null ? "blind" : "ungraded";
}

export function isAbnormal(level: Level): boolean {
  return level === "D" || level === "E" || level === "F";
}

/** The class of theme.css that fills a shape of this level. */
export function levelClass(level: Level): string {
  return `level-${level.toLowerCase()}`;
}

/** How long the sensors, which alone count heads, have been silent, in seconds; null where nothing is known. */
export function sensorAge(record: PlaceRecord | undefined): number | null {
  return record?.age_s?.sensors ?? null;
}

/** Whether a gate's queue deserves its figure on the map. */
export function isNotableQueue(gate: PlaceRecord | undefined, level: Level): boolean {
  if (gate?.queue == null) return false;
  return isAbnormal(level) || (gate.wait_s?.v ?? 0) >= NOTABLE_WAIT_S;
}
