// The one list of languages. Adding one is a file beside this and a line here; its type makes the compiler ask for every key.
import { en, type Words } from "./en";
import { fr } from "./fr";
import type { LanguageCode, Speech } from "./speech";

export type { Words } from "./en";

export const CATALOGUES: Record<LanguageCode, (say: Speech) => Words> = { en, fr };

export const LANGUAGES = Object.keys(CATALOGUES) as LanguageCode[];

/** The text of `key`, or the key itself: a server newer than this console may know words that it does not. */
export function lookup(table: Record<string, string>, key: string): string {
  return Object.hasOwn(table, key) ? (table[key] as string) : key;
}

export function isLanguage(code: string | null): code is LanguageCode {
  return LANGUAGES.some((known) => known === code);
}
