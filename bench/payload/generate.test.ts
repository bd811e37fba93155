import assert from "node:assert/strict";
import { test } from "node:test";
import { generateC, generateText } from "./generate.ts";

test("generateC: is the same each time, and balanced", () => {
  const text = generateC(5);
  assert.equal(text, generateC(5));
  for (const [open, close] of ["{}", "()", "[]"]) assert.equal(text.split(open).length, text.split(close).length);
  assert.match(text, /int64_t f4\(/);
});

test("generateText: is the same each time, and about as long as asked for", () => {
  const text = generateText(10_000);
  assert.equal(text, generateText(10_000));
  assert.ok(text.length >= 10_000 && text.length < 10_500);
  assert.match(text, /^[a-z .\n]+$/);
});
