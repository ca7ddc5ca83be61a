// The one list of keys. Single keys, no chords; they can be switched off (WCAG 2.1.4) and never fire while something is typed.
export type Action = "acknowledge" | "shelve" | "escalate";
export type Stroke = Action | "next" | "previous" | "follow" | "help";

interface Key {
  key: string;
  shown: string;
}

export const KEYS: Record<Stroke, Key> = {
  acknowledge: { key: "a", shown: "A" },
  shelve: { key: "s", shown: "S" },
  escalate: { key: "e", shown: "E" },
  next: { key: "j", shown: "J" },
  previous: { key: "k", shown: "K" },
  follow: { key: "escape", shown: "Esc" },
  help: { key: "?", shown: "?" },
};

export const MEASURE_KEYS = "1–4";

const SWITCH = "midan.keys";

export function keysAreOn(): boolean {
  return localStorage.getItem(SWITCH) !== "off";
}

export function switchKeys(on: boolean): void {
  localStorage.setItem(SWITCH, on ? "on" : "off");
}

/** What a key press asks for: a stroke, the number of a measure, or nothing. */
export function strokeOf(event: KeyboardEvent): Stroke | number | null {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return null;
  const target = event.target as Element | null;
  if (target?.closest("input, textarea, select, dialog, [contenteditable]")) return null;
  if (/^[1-4]$/u.test(event.key)) return Number(event.key);
  const key = event.key.toLowerCase();
  const found = Object.entries(KEYS).find(([, k]) => k.key === key);
  return (found?.[0] as Stroke | undefined) ?? null;
}
