// The mutants of a JavaScript file, as JSON lines {start, end, replacement, where}, in characters.
// `node javascript.mjs FILE`; the parser is TypeScript's, which the tests of the pages have.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const ts = createRequire(new URL("../js/package.json", import.meta.url))("typescript");
const K = ts.SyntaxKind;
const text = readFileSync(process.argv[2], "utf8");
const tree = ts.createSourceFile("kstream.js", text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);

const OPERATORS = new Map([
  [K.LessThanToken, "<="], [K.LessThanEqualsToken, "<"], [K.GreaterThanToken, ">="], [K.GreaterThanEqualsToken, ">"],
  [K.EqualsEqualsEqualsToken, "!=="], [K.ExclamationEqualsEqualsToken, "==="], [K.EqualsEqualsToken, "!="], [K.ExclamationEqualsToken, "=="],
  [K.AmpersandAmpersandToken, "||"], [K.BarBarToken, "&&"], [K.QuestionQuestionToken, "&&"],
  [K.PlusToken, "-"], [K.MinusToken, "+"], [K.AsteriskToken, "/"], [K.SlashToken, "*"], [K.AsteriskAsteriskToken, "*"],
  [K.PlusEqualsToken, "-="], [K.MinusEqualsToken, "+="],
]);
const isText = (node) => ts.isStringLiteral(node) || ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node);

function say(where, node, replacement) {
  console.log(JSON.stringify({ start: node.getStart(tree), end: node.getEnd(), replacement, where: where.join(".") }));
}

function walk(node, where) {
  if (ts.isImportDeclaration(node) || ts.isThrowStatement(node)) {
    if (ts.isThrowStatement(node)) say(where, node, ";");
    return;
  }
  const name = (ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)
    || ts.isGetAccessor(node)) && node.name ? [...where, node.name.getText(tree)] : where;
  if (ts.isBinaryExpression(node)) {
    const other = OPERATORS.get(node.operatorToken.kind);
    const plain = other !== undefined && !(node.operatorToken.kind === K.PlusToken && (isText(node.left) || isText(node.right)));
    if (plain) say(name, node.operatorToken, other);
  }
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) { say(name, node.expression, "true"); say(name, node.expression, "false"); }
  if (ts.isConditionalExpression(node)) { say(name, node.condition, "true"); say(name, node.condition, "false"); }
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken) say(name, node, node.operand.getText(tree));
  if (ts.isNumericLiteral(node)) say(name, node, String(Number(node.text.replaceAll("_", "")) + 1));
  if (ts.isStringLiteral(node) && /^[A-Za-z0-9_.,:/=-]{1,40}$/.test(node.text)) say(name, node, JSON.stringify(node.text + "x"));
  if (node.kind === K.TrueKeyword) say(name, node, "false");
  if (node.kind === K.FalseKeyword) say(name, node, "true");
  if (ts.isExpressionStatement(node) && !isText(node.expression)) say(name, node, ";");
  if (ts.isReturnStatement(node) && node.expression) say(name, node.expression, "undefined");
  if (ts.isContinueStatement(node)) say(name, node, "break;");
  ts.forEachChild(node, (child) => walk(child, name));
}

walk(tree, []);
