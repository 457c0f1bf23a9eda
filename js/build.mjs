// Makes the npm package: `node js/build.mjs [FOLDER]`, build/npm if it is not said; `make npm` packs what is in it.
//
// The client is the file that every server serves. TypeScript, which the tests pin, makes CommonJS and the types of the
// rest, so that nothing else is needed to build it.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const text = (path) => readFileSync(here(path), "utf8");
const ts = createRequire(here("../tests/js/package.json"))("typescript");

const TARGET = ts.ScriptTarget.ES2022;
const STATIC = "../kstream/web/static/";

/** @param {string} folder is emptied before */
export function build(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const write = (name, content) => writeFileSync(join(folder, name), content);
  copyFileSync(here(`${STATIC}kstream.js`), join(folder, "kstream.js"));
  write("kstream.cjs", made("kstream.js", text(`${STATIC}kstream.js`), ts.ModuleKind.CommonJS));
  const types = new Map([["kstream", text(`${STATIC}kstream.d.ts`)]]);
  for (const name of ["react", "testing"]) {
    const source = text(`${name}.ts`);
    write(`${name}.js`, made(`${name}.ts`, source, ts.ModuleKind.ESNext));
    write(`${name}.cjs`, made(`${name}.ts`, source, ts.ModuleKind.CommonJS));
    types.set(name, declared(`${name}.ts`, source));
  }
  for (const [name, content] of types) for (const end of ["d.ts", "d.cts"]) write(`${name}.${end}`, content);
  // Other pages are not in the package.
  write("README.md", text("../docs/npm.md").replaceAll(/\[([^\]]+)\]\([^)]*\.md[^)]*\)/g, "$1"));
  const [, version] = text("../pyproject.toml").match(/^version = "(.+)"$/m);
  const { name, ...rest } = JSON.parse(text("package.json"));
  write("package.json", `${JSON.stringify({ name, version, ...rest }, null, 2)}\n`);
}

function made(fileName, source, module) {
  const compilerOptions = { target: TARGET, module, allowJs: true, ignoreDeprecations: "6.0" };
  return whole(fileName, ts.transpileModule(source, { fileName, compilerOptions, reportDiagnostics: true }));
}

function declared(fileName, source) {
  const compilerOptions = { target: TARGET, declaration: true, isolatedDeclarations: true, stripInternal: true };
  return whole(fileName, ts.transpileDeclaration(source, { fileName, compilerOptions, reportDiagnostics: true }));
}

function whole(fileName, { outputText, diagnostics }) {
  const wrong = diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  if (wrong.length) throw new Error(`${fileName}: ${wrong.join("; ")}`);
  return outputText;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build(process.argv[2] ?? here("../build/npm"));
