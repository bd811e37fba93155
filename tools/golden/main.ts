/** Writes the golden files anew. Called as `npm run golden`; what changed is then seen with `git diff`. */
import { goldenFiles, keep } from "./files.ts";

const files = await goldenFiles();
const changed = files.filter(({ kept, made }) => kept !== made);
for (const file of changed) keep(file);
console.log(
  `${files.length} golden files, ${changed.length} changed${changed.map(({ name }) => `\n  ${name}`).join("")}`,
);
