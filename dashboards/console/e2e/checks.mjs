// The checks that hold against the binary as against the mock, in order. None needs a particular alarm: the one that
// acknowledges waits for the first to come.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { mapClashes, overflows, wrongLevels } from "./layout.mjs";

const FIRST_ALARM_MS = 90_000;
const WAITING = "[data-state=unack], [data-state=rtn_unack]";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const anywhere = [
  ["the truth line says until when there are data, and moves on", truthLine],
  ["the time from the kick-off is the largest figure", largestFigure],
  ["the match is named", matchNamed],
  ["zones are filled and lettered by their level", levels],
  ["two screenshots before the kick-off", screenshots],
  ["the model chip says what the picture says", modelChip],
  ["a zone is reached and selected by keyboard alone, and shows its trend", mapByKeyboard],
  ["an alarm is acknowledged by the key A", acknowledge],
  ["nothing scrolls, is cut off or overlaps at 1920×1080", ({ large }) => tidy(large.page)],
  ["nothing scrolls, is cut off or overlaps at 1366×768", ({ small }) => tidy(small.page)],
  ["French is one click away, stays after a reload and fits as well", french],
  ["help opens by ? and closes by Escape", help],
  ["axe finds no serious violation", accessible],
  ["no console error, no exception, no foreign request", clean],
];

async function truthLine({ large }) {
  const until = large.page.locator("[data-test=until]");
  await large.page.waitForFunction(
    () => /\d\d:\d\d:\d\d/.test(document.querySelector("[data-test=until]")?.textContent),
    null,
    {
      timeout: 60_000,
    },
  );
  const first = await until.textContent();
  assert.match(first, /^Data until \d\d:\d\d:\d\d$/);
  const line = await large.page.locator("[data-test=truth]").textContent();
  assert.match(line, /\d+\s%\sof sensors/);
  assert.match(line, /ledger/);
  await large.page.waitForFunction(
    (before) => document.querySelector("[data-test=until]").textContent !== before,
    first,
  );
}

async function largestFigure({ large }) {
  const figure = large.page.locator("[data-test=relative]");
  assert.match((await figure.textContent()).trim(), /^(KO[−+]\d\d:\d\d|\d\d:\d\d)$/);
  const sizes = await large.page.evaluate(() => {
    const size = (element) => parseFloat(getComputedStyle(element).fontSize);
    const own = document.querySelector("[data-test=relative]");
    const others = [...document.querySelectorAll("body *:not(script)")].filter((e) => e !== own && !e.closest(".map"));
    return { own: size(own), largest: Math.max(...others.map(size)) };
  });
  assert.ok(sizes.own > sizes.largest, `${sizes.own}px against ${sizes.largest}px`);
}

async function matchNamed({ large }) {
  const name = await large.page.evaluate(async () => {
    const [venue] = await (await fetch("api/v1/venues")).json();
    const site = await (await fetch(`api/v1/venues/${venue.id}`)).json();
    return site.matches[0].name;
  });
  assert.match(name, /\S – \S/);
  await large.page.waitForFunction(
    (named) => document.querySelector("[data-test=match]")?.textContent.includes(named),
    name,
    { timeout: 30_000 },
  );
}

async function levels({ large }) {
  await large.page.waitForFunction(() => document.querySelectorAll(".map path.shape").length > 10);
  await large.page.waitForSelector(".map [data-level=A], .map [data-level=B], .map [data-level=C]", {
    timeout: 60_000,
  });
  const { graded, found } = await wrongLevels(large.page);
  assert.deepEqual(found, []);
  assert.ok(graded > 0, "no graded zone");
}

async function screenshots({ large, small, shots }) {
  await large.page
    .waitForFunction(
      () => {
        const [, sign, hours, minutes] =
          /KO([−+])(\d\d):(\d\d)/.exec(document.querySelector("[data-test=relative]").textContent) ?? [];
        return sign === "+" || (hours && +hours * 60 + +minutes <= 7);
      },
      null,
      { timeout: 120_000 },
    )
    .catch(() => null);
  await large.page.waitForSelector("[data-test=trend] canvas", { timeout: 30_000 });
  await large.page.screenshot({ path: join(shots, "console-1920.png") });
  await small.page.screenshot({ path: join(shots, "console-1366.png") });
}

async function modelChip({ large }) {
  const expected = await large.page.evaluate(async () => {
    const [venue] = await (await fetch("api/v1/venues")).json();
    const stream = new EventSource(`api/v1/venues/${venue.id}/stream`);
    const event = await new Promise((done) => stream.addEventListener("picture", done, { once: true }));
    stream.close();
    const { flow, anomaly } = JSON.parse(event.data).model ?? {};
    return [flow, anomaly].every((model) => !model || model.state === "active") ? "active" : "fallback";
  });
  assert.equal(await large.page.locator("[data-test=model]").getAttribute("data-state"), expected);
}

async function mapByKeyboard({ large }) {
  const { page } = large;
  const focusable = page.locator(".map [data-place][tabindex='0']");
  assert.equal(await focusable.count(), 1, "the map is one tab stop");
  await focusable.focus();
  const start = await focusable.getAttribute("data-place");
  for (const key of ["ArrowUp", "ArrowDown", "ArrowRight"]) {
    await page.keyboard.press(key);
    const now = await page.evaluate(() => document.activeElement.dataset.place);
    if (now && now !== start) break;
  }
  const reached = await page.evaluate(() => document.activeElement.dataset.place);
  assert.notEqual(reached, start);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`.map [data-place="${reached}"][aria-selected="true"]`);
  await page.waitForSelector("[data-test=trend]");
  await page.keyboard.press("Escape");
}

async function acknowledge({ large }) {
  const { page } = large;
  await page.getByRole("button", { name: "No operator" }).click();
  await page.locator("input[name=operator]").fill("e2e.operator");
  await page.keyboard.press("Enter");
  const end = Date.now() + FIRST_ALARM_MS;
  let posted = null;
  while (!posted && Date.now() < end) {
    const row = page.locator(`[data-alarm]:is(${WAITING})`).first();
    await row.waitFor({ timeout: Math.max(1, end - Date.now()) });
    const id = await row.getAttribute("data-alarm");
    const request = page
      .waitForResponse((r) => r.url().endsWith("/api/v1/commands"), { timeout: 3_000 })
      .catch(() => null);
    await page
      .locator(`[data-alarm="${id}"]`)
      .click({ timeout: 2_000 })
      .catch(() => null);
    await page.keyboard.press("a");
    const response = await request;
    if (response) posted = { response, id };
  }
  assert.ok(posted, "no command was posted");
  const body = posted.response.request().postDataJSON();
  assert.equal(posted.response.status(), 202);
  assert.equal(body.action, "ack");
  assert.equal(body.alarm_id, posted.id);
  assert.equal(body.operator, "e2e.operator");
  await page.waitForFunction(
    ([id, waiting]) => {
      const row = document.querySelector(`[data-alarm="${CSS.escape(id)}"]`);
      return !row || !row.matches(waiting);
    },
    [posted.id, WAITING],
    { timeout: 60_000 },
  );
}

/** Nothing is cut off, nothing on the map overlaps. */
export async function tidy(page) {
  assert.deepEqual(await overflows(page), []);
  assert.deepEqual(await mapClashes(page), []);
}

async function french({ large, small }) {
  for (const { page } of [large, small]) {
    await page.getByRole("button", { name: "FR", exact: true }).click();
    await page.waitForFunction(() => document.documentElement.lang === "fr");
    await page.reload();
    await page.waitForFunction(() =>
      document.querySelector("[data-test=until]")?.textContent.startsWith("Données jusqu’à"),
    );
    await page.waitForSelector(".map text");
    try {
      await tidy(page);
    } finally {
      await page.getByRole("button", { name: "EN", exact: true }).click();
      await page.waitForFunction(() => document.documentElement.lang === "en");
    }
  }
}

async function help({ large }) {
  await large.page.keyboard.press("?");
  await large.page.getByRole("dialog", { name: "Keys" }).waitFor();
  await large.page.keyboard.press("Escape");
  await large.page.getByRole("dialog").waitFor({ state: "detached" });
}

async function accessible({ large, small }) {
  for (const { page } of [large, small]) {
    await page.evaluate(axe);
    const violations = await page.evaluate(async () => {
      const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
      const report = await globalThis.axe.run(document, { runOnly: tags });
      return report.violations
        .filter((v) => v.impact === "serious" || v.impact === "critical")
        .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`);
    });
    assert.deepEqual(violations, []);
  }
}

async function clean({ large, small }) {
  assert.deepEqual([...large.faults, ...small.faults], []);
}
