import assert from "node:assert/strict";
import { test } from "node:test";
import { IdleWatch } from "./idle-watch.ts";

test("IdleWatch: tells once that a guest has become idle, and again after it was busy", () => {
  let now = 0;
  const watch = new IdleWatch(() => now);
  /** A second, of which the guest sleeps a part. */
  const second = (asleepMs: number): boolean => {
    now += 1000 - asleepMs;
    return watch.rest(() => {
      now += asleepMs;
    });
  };
  const told = (asleepMs: number): number => Array.from({ length: 12 }, () => second(asleepMs)).filter(Boolean).length;
  assert.equal(told(900), 0);
  assert.equal(told(990), 1);
  assert.equal(told(990), 0);
  assert.equal(told(100), 0);
  assert.equal(told(999), 1);
});
