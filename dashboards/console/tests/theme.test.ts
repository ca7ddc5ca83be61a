// Contrast by WCAG 2.2: 4.5:1 for text on every ground it stands on, 3:1 for marks that carry meaning.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const theme = readFileSync(join(import.meta.dirname, "../src/theme.css"), "utf8");

const TEXT: [string, string[]][] = [
  ["ink", ["ground", "panel", "raised", "control", "level-a", "level-b", "level-c"]],
  ["ink-2", ["ground", "panel", "raised", "level-a", "level-b"]],
  ["ink-3", ["ground", "panel", "raised"]],
  ["ink-dark", ["ink", "level-d", "level-e", "level-f", "top", "high", "medium", "low", "over"]],
  ["wrong", ["ground", "panel"]],
  ["limit", ["ground"]],
];
const MARKS: [string, string[]][] = [
  ...["top", "high", "medium", "low", "over"].map((mark): [string, string[]] => [mark, ["ground", "raised"]]),
  ["edge-strong", ["ground", "panel"]],
  ["forecast", ["ground"]],
  ["level-d", ["ground", "level-c"]],
  ["level-e", ["ground", "level-c"]],
  ["level-f", ["ground", "level-c"]],
];

const pairs = (list: [string, string[]][]) => list.flatMap(([front, backs]) => backs.map((back) => [front, back]));

test.each(pairs(TEXT))("%s is readable as text on %s", (front, back) => {
  expect(contrast(front as string, back as string)).toBeGreaterThanOrEqual(4.5);
});

test.each(pairs(MARKS))("%s stands out as a mark on %s", (front, back) => {
  expect(contrast(front as string, back as string)).toBeGreaterThanOrEqual(3);
});

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(name: string): number {
  const hex = new RegExp(`--${name}: #(..)(..)(..);`, "u").exec(theme);
  if (!hex) throw new Error(`no colour named ${name}`);
  const [r, g, b] = hex.slice(1).map((pair) => {
    const c = parseInt(pair, 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
