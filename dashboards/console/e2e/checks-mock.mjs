// The checks that need the mock's switches or its known night: shelving, a model that fails, a stream that stops, a token.
import assert from "node:assert/strict";
import { openPage } from "./browser.mjs";
import { tidy } from "./checks.mjs";
import { overflows } from "./layout.mjs";
import { startMock } from "./mock-server.mjs";

export const onMockOnly = [
  ["shelving wants a time and a reason", shelve],
  ["escalating sends a command with the operator's name", escalate],
  ["nothing that matters needs a scroll at 1920×1080", noScroll],
  ["no alarm makes the page wider, at either size", everyAlarmFits],
  ["a model that fails is named with its reason", fallback],
  ["a stream that stops is said plainly and greys the picture", stale],
  ["a lost connection is said, and comes back by itself", lost],
  ["another venue is another picture", venues],
  ["a token is asked for, refused when wrong, and kept for the session", token],
];

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

async function everyAlarmFits({ large, small }) {
  for (const { page } of [large, small]) {
    for (const row of await page.locator("[data-alarm]").all()) {
      await row.click();
      await page.waitForTimeout(50);
      assert.deepEqual(await overflows(page), [], await row.getAttribute("data-alarm"));
    }
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
