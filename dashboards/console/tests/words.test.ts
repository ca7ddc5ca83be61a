// The catalogues say the same things in every language, and nothing is said outside them: no component holds literal text, no
// file but theme.css a colour, no style a physical direction.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "svelte/compiler";
import { describe, expect, test } from "vitest";
import { CATALOGUES, LANGUAGES } from "../src/words/catalogue";
import { Speech } from "../src/words/speech";

const SOURCE = join(import.meta.dirname, "..", "src");
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" });
const components = files.filter((file) => file.endsWith(".svelte"));
const read = (file: string) => readFileSync(join(SOURCE, file), "utf8");

describe("catalogues", () => {
  const keysOf = (value: unknown, path = ""): string[] =>
    value !== null && typeof value === "object"
      ? Object.entries(value).flatMap(([key, inner]) => keysOf(inner, `${path}.${key}`))
      : [`${path}:${typeof value}`];

  test.each(LANGUAGES)("%s has the keys of English", (code) => {
    const all = keysOf(CATALOGUES[code](new Speech(code, "UTC")));
    expect(all).toEqual(keysOf(CATALOGUES.en(new Speech("en", "UTC"))));
  });

  test.each(LANGUAGES)("%s leaves nothing empty and drops no argument", (code) => {
    const visit = (value: unknown, path: string): void => {
      if (typeof value === "string") expect(value, path).not.toBe("");
      else if (typeof value === "function") expect(said(value as Sentence), path).not.toBe("");
      else for (const [key, inner] of Object.entries(value as object)) visit(inner, `${path}.${key}`);
    };
    visit(CATALOGUES[code](new Speech(code, "UTC")), code);
  });

  test("the same arguments appear in both languages", () => {
    const visit = (a: unknown, b: unknown, path: string): void => {
      if (typeof a === "function") {
        const found = (text: string) => [...text.matchAll(/⟦\d⟧/gu)].map(String).sort();
        expect(found(said(b as Sentence)), path).toEqual(found(said(a as Sentence)));
      } else if (a !== null && typeof a === "object") {
        for (const key of Object.keys(a)) visit(a[key as never], (b as object)[key as never], `${path}.${key}`);
      }
    };
    visit(CATALOGUES.en(new Speech("en", "UTC")), CATALOGUES.fr(new Speech("fr", "UTC")), "");
  });

  /** The sentence with marked arguments. */
  function said(sentence: Sentence): string {
    const args = Array.from({ length: sentence.length }, (_, i) => `⟦${i}⟧`);
    return String(sentence(...(args as never[])));
  }
});

describe("components", () => {
  test.each(components)("%s holds no literal text", (file) => {
    expect(literals(read(file))).toEqual([]);
  });

  test.each(files.filter((f) => /\.(?:svelte|ts|css)$/u.test(f) && f !== "theme.css"))("%s knows no colour", (file) => {
    const text = read(file).replaceAll(/\{#[a-z]+/gu, "");
    expect(text.match(/#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|oklch|lab|color-mix)\(/giu)).toBeNull();
    const named =
      /(?:color|fill|stroke|background)\s*[:=]\s*"?(?:white|black|red|green|blue|orange|yellow|gr[ae]y)\b/giu;
    expect(text.match(named)).toBeNull();
  });

  test.each([...components, "theme.css"])("%s is styled in logical directions only", (file) => {
    const style = file.endsWith(".css") ? read(file) : (/<style>[\s\S]*<\/style>/u.exec(read(file))?.[0] ?? "");
    const physical =
      /(?:margin|padding|border|inset|scroll-margin)-(?:left|right|top|bottom)|(?:^|[\s;{])(?:left|right|top|bottom)\s*:|text-align:\s*(?:left|right)|float:\s*(?:left|right)/gu;
    expect(style.match(physical)).toBeNull();
  });

  test("the finder of literal text finds it", () => {
    expect(literals(`<p title="Hello">{n} persons</p>`)).toEqual(["Hello", "persons"]);
    expect(literals("<p>{`${n} persons`}{ok ? 'yes' : no}</p>")).toEqual(["persons", "yes"]);
    expect(literals(`<p class="big">{words.a.b} · <b>12</b></p>`)).toEqual([]);
  });
});

type Sentence = (...args: never[]) => unknown;

type Node = Record<string, unknown> & { type: string };

const SPOKEN = ["title", "alt", "placeholder", "aria-label", "aria-description", "aria-roledescription"];

/** Every literal with a letter in it that would reach a reader: text, spoken attributes, strings inside shown expressions. */
function literals(source: string): string[] {
  const found: string[] = [];
  const keep = (text: string) => /\p{L}/u.test(text) && found.push(text.trim());
  const inExpression = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(inExpression);
    if (value === null || typeof value !== "object") return;
    const node = value as Node;
    if (node.type === "BinaryExpression") return;
    if (node.type === "CallExpression" || node.type === "MemberExpression") return;
    if (node.type === "Literal" && typeof node.value === "string") keep(node.value);
    if (node.type === "TemplateElement") keep((node.value as { raw: string }).raw);
    if (node.type === "ConditionalExpression") return [node.consequent, node.alternate].forEach(inExpression);
    for (const [key, inner] of Object.entries(node)) if (key !== "type") inExpression(inner);
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (value === null || typeof value !== "object") return;
    const node = value as Node;
    if (node.type === "Text") keep(String(node.data));
    if (node.type === "ExpressionTag") return inExpression(node.expression);
    if (node.type === "Attribute") {
      if (!SPOKEN.includes(String(node.name))) return;
      return visit(node.value);
    }
    for (const [key, inner] of Object.entries(node))
      if (!["expression", "test", "metadata"].includes(key)) visit(inner);
  };
  visit(parse(source, { modern: true }).fragment);
  return found;
}
