import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, suggest } from "./suggest.ts";

test("editDistance: counts insertions, deletions, changes and swaps", () => {
  const table: [string, string, number][] = [
    ["", "", 0],
    ["a", "", 1],
    ["debian", "debain", 1],
    ["kitten", "sitting", 3],
    ["busybox", "bussybox", 1],
    ["abc", "xyz", 3],
  ];
  for (const [a, b, distance] of table) {
    assert.equal(editDistance(a, b), distance, `${a} ${b}`);
    assert.equal(editDistance(b, a), distance, `${b} ${a}`);
    assert.ok(editDistance(a, b, 1) <= 2);
  }
});

test("suggest: names the nearest of what is near, and nothing else", () => {
  const known = ["busybox", "debian", "debian-gcc"];
  assert.equal(suggest("debain", known), "debian");
  assert.equal(suggest("Busybox", known), "busybox");
  assert.equal(suggest("busbox", known), "busybox");
  assert.equal(suggest("fedora", known), undefined);
  assert.equal(suggest("", known), undefined);
});
