import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearest } from "./nearest.ts";

test("editDistance: counts a swap of neighbours once", () => {
  assert.equal(editDistance("debian", "debain"), 1);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("kitten", "sitting"), 3);
});

test("nearest: finds the image that was meant", () => {
  const names = ["busybox", "debian"];
  for (const typed of ["debain", "Debian", "debia", "deb", "debiann", "trdebian"]) {
    assert.equal(nearest(typed, names), "debian", typed);
  }
  assert.equal(nearest("bsybox", names), "busybox");
});

test("nearest: suggests nothing for a name that is near to none", () => {
  assert.equal(nearest("windows", ["busybox", "debian"]), undefined);
  assert.equal(nearest("", ["busybox", "debian"]), undefined);
});
