// What TypeScript finds wrong in the files of a configuration and in the package: `node typed.mjs CONFIGURATION`. tsc would look at
// the types of the browser and of Node, too, where it looks at ours, which takes longer than all else.
import ts from "typescript";

const [path] = process.argv.slice(2);
const { options, fileNames, errors } = ts.getParsedCommandLineOfConfigFile(path, {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: console.error });
const program = ts.createProgram(fileNames, options);
const ours = program.getSourceFiles().filter(({ fileName }) => !/\/node_modules\/(?!kstream\/)/.test(fileName));
const wrong = [
  ...errors,
  ...program.getOptionsDiagnostics(),
  ...program.getGlobalDiagnostics(),
  ...ours.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
];
const whole = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => process.cwd(), getNewLine: () => "\n" };
console.log(ts.formatDiagnostics(wrong, whole));
process.exitCode = Number(wrong.length > 0);
