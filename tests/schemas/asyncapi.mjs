// What the parser of AsyncAPI makes of a document: `node asyncapi.mjs FILE` prints it as JSON.
import { readFileSync } from "node:fs";

import { Parser } from "@asyncapi/parser";

const WORSE_THAN_ADVICE = 1; // errors are 0, warnings 1
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
console.log(
  JSON.stringify({
    wrong: diagnostics.filter((each) => each.severity <= WORSE_THAN_ADVICE).map((each) => `${each.path.join(".")}: ${each.message}`),
    messages: document?.channels().get("stream").messages().all().map((each) => each.id()),
    operations: Object.fromEntries(document?.operations().all().map((each) => [each.id(), each.action()]) ?? []),
  }),
);
