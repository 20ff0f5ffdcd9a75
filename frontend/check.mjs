// Type-checks the pages' scripts by their JSDoc. They are copied beside vendor.ts, so that they get the types of what the
// bundle is built from: the bundle itself, which they load, has none.
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, rmSync } from "node:fs";

const from = process.argv[2] ?? "../src/momus/desk/static";
const beside = "checked";
cpSync(from, beside, { recursive: true, filter: (path) => !path.endsWith("vendor.js") });
copyFileSync("vendor.ts", `${beside}/vendor.ts`);
const found = spawnSync("node_modules/.bin/tsc", ["--pretty", "false"], { encoding: "utf8" });
rmSync(beside, { recursive: true });
process.stdout.write(found.stdout.replaceAll(`${beside}/`, `${from}/`));
process.exitCode = found.status ?? 1;
