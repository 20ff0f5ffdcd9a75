// Writes src/momus/desk/static/vendor.js, and beside it the licences of all that is in it. The same lockfile gives the
// same bytes: a test builds both and compares.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const out = process.argv[2] ?? "../src/momus/desk/static/vendor.js";
const licences = join(dirname(out), "vendor.LICENSES.txt");
const pins = JSON.parse(readFileSync("package.json", "utf8")).dependencies;
const lock = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex").slice(0, 16);
const names = Object.entries(pins).map(([name, version]) => `${name} ${version}`).join(", ");
const { metafile } = await build({
  entryPoints: ["vendor.ts"],
  outfile: out,
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  legalComments: "none",
  charset: "utf8",
  metafile: true,
  banner: {
    js: `// Built by frontend/build.mjs from lockfile ${lock}. All MIT or Apache-2.0: ${names}\n`
      + `// With what these need. Copyright and licence of each: ${basename(licences)}, beside this file.`,
  },
});

// Whose code is in the bundle, also where no page names it, is told by what was read to build it.
const packages = new Set(Object.keys(metafile.inputs).flatMap((file) => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []));
const notices = [...packages].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  if (!["MIT", "Apache-2.0"].includes(license)) throw new Error(`${name} is under ${license}: say so in the banner`);
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
  if (!texts.length) throw new Error(`${name} comes without the text of its licence`);
  const told = texts.map((file) => readFileSync(`${folder}/${file}`, "utf8").replaceAll("\r\n", "\n").trim());
  return `${name} ${version} (${license})\n\n${told.join("\n\n")}\n`;
});
writeFileSync(licences, [`What is in ${basename(out)}, and under which licence.\n`, ...notices].join(`\n${"-".repeat(80)}\n\n`));
