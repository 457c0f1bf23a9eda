// The npm package as `make npm` makes it, with the React of this folder beside it: `await packaged("react")`.
//
// KSTREAM_PACKAGE is the node_modules that has it; without one it is made here.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const INSTALLED = fileURLToPath(new URL("node_modules", import.meta.url));

/** Of a package that has it. */
export const folder = join(process.env.KSTREAM_PACKAGE ?? (await made()), "kstream");

async function made() {
  const { build } = await import("../../js/build.mjs");
  const within = mkdtempSync(join(tmpdir(), "kstream-npm-"));
  process.once("exit", () => rmSync(within, { recursive: true, force: true }));
  const modules = join(within, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(INSTALLED)) symlinkSync(join(INSTALLED, name), join(modules, name));
  build(join(modules, "kstream"));
  return modules;
}

export function packaged(name) {
  return import(pathToFileURL(join(folder, `${name}.js`)).href);
}
