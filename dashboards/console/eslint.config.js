// What the linter holds: the strict TypeScript rules and Svelte's own, for the app, its tests and the end-to-end scripts.
import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

export default ts.config(
  { ignores: ["dist/", "e2e/out/", "node_modules/"] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      "no-console": "error",
      eqeqeq: ["error", "smart"],
      "prefer-const": "error",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    // Maps of the store are never changed in place: each is built anew and swapped whole, so they need no reactive copy.
    rules: { "prefer-const": "off", "svelte/prefer-const": "error", "svelte/prefer-svelte-reactivity": "off" },
  },
  { files: ["e2e/**/*.mjs"], rules: { "no-console": "off" } },
);
