/** Generated code is as the golden files say. After a change that is wanted: `npm run golden`, and review the diff. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { goldenFiles } from "./files.ts";

const files = await goldenFiles();

for (const { name, kept, made } of files) {
  test(`golden: ${name} is translated as its file says; if the change is wanted, run: npm run golden`, () => {
    assert.deepEqual(firstDifference(made, kept), {});
  });
}

/** The first line that differs: whole files say too much. */
function firstDifference(made: string, kept = ""): { line?: number; made?: string; kept?: string } {
  const [left, right] = [made.split("\n"), kept.split("\n")];
  const index = left.findIndex((line, i) => line !== right[i]);
  if (index < 0 && left.length === right.length) return {};
  const at = index < 0 ? left.length : index;
  return { line: at + 1, made: left[at]?.trim(), kept: right[at]?.trim() };
}

test("golden: every file belongs to a snippet", () => {
  const kept = readdirSync(new URL("wat", import.meta.url)).sort();
  assert.deepEqual(kept, files.map(({ name }) => `${name}.wat`).sort());
});
