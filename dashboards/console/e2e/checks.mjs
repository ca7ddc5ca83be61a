// The checks, in order. Those in `anywhere` hold against the binary too and need no particular alarm; those in `onMockOnly` turn
// the mock's switches: a model that fails, a stream that stops, a token.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { openPage } from "./browser.mjs";
import { mapClashes, overflows, wrongLevels } from "./layout.mjs";
import { startMock } from "./mock-server.mjs";

const FIRST_ALARM_MS = 90_000;
const WAITING = "[data-state=unack], [data-state=rtn_unack]";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const anywhere = [
  ["the truth line says until when there are data, and moves on", truthLine],
  ["the time from the kick-off is the largest figure", largestFigure],
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

export const onMockOnly = [
  ["shelving wants a time and a reason", shelve],
  ["escalating sends a command with the operator's name", escalate],
  ["nothing that matters needs a scroll at 1920×1080", noScroll],
  ["a model that fails is named with its reason", fallback],
  ["a stream that stops is said plainly and greys the picture", stale],
  ["a lost connection is said, and comes back by itself", lost],
  ["another venue is another picture", venues],
  ["a token is asked for, refused when wrong, and kept for the session", token],
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
        return sign === "+" || (hours && +hours * 60 + +minutes <= 70);
      },
      null,
      { timeout: 60_000 },
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
    await row.click({ timeout: 2_000 }).catch(() => null);
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
    { timeout: 20_000 },
  );
}

async function tidy(page) {
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
    await tidy(page);
    await page.getByRole("button", { name: "EN", exact: true }).click();
    await page.waitForFunction(() => document.documentElement.lang === "en");
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

async function shelve({ large, target }) {
  const { page } = large;
  const row = page.locator("[data-alarm][data-state=unack]").first();
  const id = await row.getAttribute("data-alarm");
  await row.click();
  await page.keyboard.press("s");
  const dialog = page.getByRole("dialog");
  assert.ok(await dialog.getByRole("button", { name: "Shelve" }).isDisabled(), "no shelving without a reason");
  await dialog.getByLabel("For how long").selectOption({ index: 2 });
  await dialog.getByLabel("Reason").fill("steward counts by hand");
  await dialog.getByRole("button", { name: "Shelve" }).click();
  await page.waitForSelector(`[data-alarm="${id}"][data-state=shelved]`);
  const sent = target.world.posted.at(-1);
  assert.equal(sent.reason, "steward counts by hand");
  assert.ok(sent.until > target.world.eventTime + 10 * 60_000, "the shelf counts from event time");
}

async function escalate({ large, target }) {
  await large.page.locator("[data-alarm][data-state=ack]").first().click();
  await large.page.keyboard.press("e");
  await large.page.waitForFunction(() => true);
  for (let i = 0; i < 50 && target.world.posted.at(-1)?.action !== "escalate"; i++) await large.page.waitForTimeout(50);
  const sent = target.world.posted.at(-1);
  assert.equal(sent.action, "escalate");
  assert.equal(sent.operator, "e2e.operator");
}

async function noScroll({ large }) {
  const { page } = large;
  for (const row of await page.locator("[data-alarm]").all()) {
    await row.click();
    await page.waitForTimeout(150);
    const hidden = await page.evaluate(
      () =>
        [".why", ".list"].flatMap((s) =>
          [...document.querySelectorAll(s)].filter((e) => e.scrollHeight > e.clientHeight + 1),
        ).length,
    );
    assert.equal(hidden, 0, `a scroll is needed for ${await row.getAttribute("data-alarm")}`);
  }
}

async function fallback({ large, small, target }) {
  const chip = large.page.locator("[data-test=model]");
  target.world.fallback = "model file missing";
  await large.page.waitForSelector("[data-test=model][data-state=fallback]");
  assert.match(await chip.textContent(), /Rules only: flow model off.*Why: model file missing/);
  for (const { page } of [large, small]) assert.deepEqual(await overflows(page), []);
  target.world.fallback = null;
  await large.page.waitForSelector("[data-test=model][data-state=active]");
}

async function stale({ large, target }) {
  target.world.paused = true;
  await large.page.waitForFunction(
    () => document.querySelector("[data-test=until]").textContent.startsWith("No data since"),
    null,
    { timeout: 30_000 },
  );
  assert.ok((await large.page.locator(".greys.stale").count()) > 2, "the picture greys");
  target.world.paused = false;
  await large.page.waitForFunction(() =>
    document.querySelector("[data-test=until]").textContent.startsWith("Data until"),
  );
  assert.equal(await large.page.locator(".greys.stale").count(), 0);
}

async function lost({ large, target }) {
  for (const stream of target.world.streams) stream.response.destroy();
  await large.page.getByText("Connection lost, next try in").waitFor({ timeout: 5_000 });
  await large.page.waitForFunction(() => !document.body.textContent.includes("Connection lost"));
}

async function venues({ large }) {
  await large.page.getByRole("combobox", { name: "Venue" }).selectOption("rabat");
  await large.page.getByText("Spain - Japan").waitFor();
  await tidy(large.page);
}

async function token({ browser }) {
  const locked = await startMock({ token: "open sesame" });
  const { page, context } = await openPage(browser, locked.url, { width: 1366, height: 768 });
  await page.getByLabel("Access token").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Access token").fill("open sesame");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-test=until]");
  await page.reload();
  await page.waitForSelector("[data-test=relative]");
  await context.close();
  locked.close();
}
