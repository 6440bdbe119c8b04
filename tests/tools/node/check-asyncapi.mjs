// Says what is wrong with an AsyncAPI document: `node check-asyncapi.mjs FILE`. Exits with 1 when something is.

import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
for (const { code, path, message, severity } of diagnostics) {
  console.log(`${["error", "warning", "information", "hint"][severity]} ${code} ${path.join(".")}: ${message}`);
}
if (!document || diagnostics.length > 0) process.exit(1);
console.log(`good: ${document.allChannels().all().length} channels, ${document.allOperations().all().length} operations`);
