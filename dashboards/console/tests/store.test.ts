// The store: what is drawn follows the configuration that is in force, and nothing else does.
import { beforeEach, expect, test, vi } from "vitest";
import type { Site } from "../src/contract/types";

const site = vi.hoisted(() => vi.fn());
vi.mock("../src/contract/api", () => ({ site, rememberToken: vi.fn() }));
vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
vi.stubGlobal("navigator", { language: "en" });
const { Console } = await import("../src/live/console.svelte");

const drawn = (...zones: string[]): Site => ({ id: "v", zones: zones.map((id) => ({ id })) }) as unknown as Site;

beforeEach(() => site.mockReset());

test("a zone that has come is drawn, and a site that is as before stays the same object", async () => {
  const store = new Console();
  const before = drawn("bowl");
  store.site = before;
  site.mockResolvedValueOnce(drawn("bowl"));
  await store.renewSite();
  expect(store.site).toBe(before);
  site.mockResolvedValueOnce(drawn("bowl", "fans"));
  await store.renewSite();
  expect(store.site.zones.map((zone) => zone.id)).toEqual(["bowl", "fans"]);
});

test("an answer that comes when another venue is watched, or none, changes nothing", async () => {
  const store = new Console();
  store.site = drawn("bowl");
  const other = { ...drawn("hall"), id: "w" };
  site.mockImplementationOnce(() => {
    store.site = other;
    return Promise.resolve(drawn("bowl", "fans"));
  });
  await store.renewSite();
  expect(store.site).toBe(other);
  site.mockRejectedValueOnce(new Error("gone"));
  await store.renewSite();
  expect(store.site).toBe(other);
});
