// The build: one page of static files with relative addresses, so that the binary can serve it from any path under a strict
// content security policy. During development the API comes from the mock server or from a running Midan.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const api = process.env.MIDAN_API ?? "http://127.0.0.1:8031";

export default defineConfig({
  base: "./",
  plugins: [svelte()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
  },
  server: { host: "127.0.0.1", proxy: { "/api": api } },
  test: { include: ["tests/**/*.test.ts"] },
});
