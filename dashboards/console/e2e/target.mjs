// What the end-to-end test runs against: the real binary's demo when MIDAN_BIN names it, else the mock server.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startMock } from "./mock-server.mjs";

const READY_MS = 120_000;
/** The repository's root: the binary looks for its configuration there. */
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** The address, whether it is the real thing, the mock's world where there is one, and how to end it. */
export async function startTarget() {
  const binary = process.env.MIDAN_BIN;
  if (!binary) {
    const mock = await startMock({ speed: 20, start: -62 });
    return { real: false, ...mock };
  }
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const child = spawn(binary, ["demo", "--speed", "240", "--port", String(port), "--no-open"], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise((done) => child.once("exit", done));
  const close = async () => {
    child.kill("SIGTERM");
    await Promise.race([ended, sleep(10_000).then(() => child.kill("SIGKILL"))]);
  };
  try {
    await ready(url, child);
  } catch (error) {
    await close();
    throw error;
  }
  return { real: true, url, world: null, close };
}

async function ready(url, child) {
  const end = Date.now() + READY_MS;
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error(`the demo ended with code ${child.exitCode} before it was ready`);
    const answer = await fetch(`${url}readyz`).catch(() => null);
    if (answer?.status === 200) return;
    await sleep(200);
  }
  throw new Error(`${url}readyz was not ready within ${READY_MS / 1000} s`);
}

function freePort() {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}
