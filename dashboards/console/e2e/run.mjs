// The console from end to end in a real browser, against the real binary (MIDAN_BIN) or the mock. Prints one line per check, and
// `N passed, N failed` alone on the last. Screenshots go to MIDAN_SHOTS, or to e2e/out/.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, openPage } from "./browser.mjs";
import { onMockOnly } from "./checks-mock.mjs";
import { anywhere } from "./checks.mjs";
import { startTarget } from "./target.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const LARGE = { width: 1920, height: 1080 };
const SMALL = { width: 1366, height: 768 };

if (!existsSync(join(HERE, "..", "dist", "index.html")) && !process.env.MIDAN_BIN) {
  execFileSync("npm", ["run", "build"], { cwd: join(HERE, ".."), stdio: "inherit" });
}
const shots = process.env.MIDAN_SHOTS ?? join(HERE, "out");
mkdirSync(shots, { recursive: true });

const target = await startTarget();
const browser = await launch();
let passed = 0;
let failed = 0;
try {
  const large = await openPage(browser, target.url, LARGE);
  const small = await openPage(browser, target.url, SMALL);
  const stage = { target, browser, large, small, shots };
  for (const [name, check] of [...anywhere, ...(target.real ? [] : onMockOnly)]) {
    const began = Date.now();
    try {
      await check(stage);
      passed++;
      console.log(`ok    ${name} (${Date.now() - began} ms)`);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${name}\n      ${String(error.message).replaceAll("\n", "\n      ")}`);
    }
  }
} finally {
  await browser.close();
  await target.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
