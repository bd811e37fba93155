import assert from "node:assert/strict";
import { test } from "node:test";
import { readRow, readValues } from "./read-rows.ts";

test("readRow: finds the program's own line among others", () => {
  const output = "noise\r\n@row fib 00000000000000ff 1500000000\r\n@row sieve 0123456789abcdef 2\n";
  assert.deepEqual(readRow(output, "fib"), { checksum: "00000000000000ff", seconds: 1.5 });
  assert.deepEqual(readRow(output, "sieve"), { checksum: "0123456789abcdef", seconds: 2e-9 });
  assert.equal(readRow(output, "mix"), undefined);
  assert.equal(readRow("@row fib xyz 1", "fib"), undefined);
});

test("readValues: reads all values, in seconds", () => {
  assert.deepEqual(
    [...readValues("@value a-b 1000000\n@value c 5\r\nvalue d 1\n")],
    [
      ["a-b", 0.001],
      ["c", 5e-9],
    ],
  );
});
