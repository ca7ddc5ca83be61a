// What a place is called. The site file gives one name per place; where that name opens with the English word of its kind
// ("Gate 12"), the word is said in the console's language ("Porte 12").
import { en } from "./en";
import type { Words } from "./catalogue";
import { Speech } from "./speech";

const ENGLISH: Record<string, string> = en(new Speech("en", "UTC")).kinds;

export interface Named {
  id: string;
  name: string;
  kind: string;
}

export function placeName(words: Words, place: Named): string {
  const prefix = ENGLISH[place.kind];
  const kinds: Record<string, string> = words.kinds;
  const word = kinds[place.kind];
  if (!prefix || !word || !`${place.name} `.startsWith(`${prefix} `)) return place.name;
  return word + place.name.slice(prefix.length);
}

/** The short mark of a place among its kind: "Gate 12" is 12, "Forecourt N1" is N1. A bare letter would
 * be read as a level, so it does not count; null where there is no such tail. */
export function shortName(place: Named): string | null {
  const tail = /(?:^|\s)([A-Z]{0,2}\d{1,2})$/u.exec(place.name);
  return tail?.[1] ?? null;
}
