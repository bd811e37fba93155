import assert from "node:assert/strict";
import { test } from "node:test";
import { readOpenssl, readSevenZip, realPrograms } from "./real-programs.ts";

test("readSevenZip: turns the rating of the last line into seconds", () => {
  const output =
    "Avr:             100    500    500  |              100   1500   1500\nTot:             100   1000   1250\n";
  assert.deepEqual(readSevenZip(output), { seconds: 8 });
  assert.equal(readSevenZip("Avr: 1 2 3"), undefined);
});

test("readOpenssl: turns thousands of bytes per second into seconds", () => {
  const head = "version: 3.5.1\nThe 'numbers' are in 1000s of bytes per second processed.\ntype          16384 bytes\n";
  assert.deepEqual(readOpenssl(`${head}sha256       104857.60k\n`), { seconds: 1 });
  assert.deepEqual(readOpenssl(`${head}AES-128-GCM  52428.80k\n`), { seconds: 2 });
  assert.equal(readOpenssl(head), undefined);
});

test("realPrograms: pass their commands to the agent in one line", () => {
  for (const { command } of realPrograms) assert.ok(!command.includes("\n"));
});
