// The system's own Chromium, headless, with everything off that would call elsewhere; and a page that keeps what went wrong.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function launch() {
  const path = process.env.MIDAN_CHROMIUM ?? PATHS.find((candidate) => existsSync(candidate));
  if (!path)
    throw new Error("no Chromium found: install it (apt-get install chromium) or set MIDAN_CHROMIUM to its path");
  return chromium.launch({ executablePath: path, args: FLAGS });
}

/** A page of this size whose `faults` collect console errors, exceptions, failed and foreign requests. */
export async function openPage(browser, url, { width, height }) {
  const context = await browser.newContext({ viewport: { width, height }, locale: "en-GB" });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) faults.push(`foreign request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, context, faults };
}
