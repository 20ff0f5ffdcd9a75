// Writes src/momus/desk/static/vendor.js. The same lockfile gives the same bytes: a test builds it and compares.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const out = process.argv[2] ?? "../src/momus/desk/static/vendor.js";
const pins = JSON.parse(readFileSync("package.json", "utf8")).dependencies;
const lock = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex").slice(0, 16);
const names = Object.entries(pins).map(([name, version]) => `${name} ${version}`).join(", ");
await build({
  entryPoints: ["vendor.ts"],
  outfile: out,
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  legalComments: "none",
  charset: "utf8",
  banner: { js: `// Built by frontend/build.mjs from lockfile ${lock}. All MIT or Apache-2.0: ${names}` },
});
