import assert from "node:assert/strict";
import { test } from "node:test";
import { SignalFilter } from "./signals.ts";

test("SignalFilter: takes an echo for the same signal and a repetition for insistence", () => {
  const filter = new SignalFilter();
  assert.equal(filter.accept("SIGINT", 0), "first");
  assert.equal(filter.accept("SIGINT", 5), "none");
  assert.equal(filter.accept("SIGTERM", 6), "first");
  assert.equal(filter.accept("SIGINT", 500), "again");
  assert.equal(filter.accept("SIGINT", 5000), "first");
});
