import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestDriver, ringFeaturesWithout } from "../testing/guest-driver.ts";
import { Feature } from "../virtio.ts";
import { Block } from "./device.ts";
import { MemoryBackend } from "./memory-backend.ts";
import { type DiskLimits, RateLimit } from "./rate-limit.ts";

/** How many requests are let through in some seconds by somebody who always wants more. */
function served(limits: DiskLimits, bytes: number, seconds: number): number {
  let nowMs = 0;
  const limit = new RateLimit(limits, () => nowMs);
  let count = 0;
  while (nowMs < seconds * 1000) {
    const waitMs = limit.waitMs();
    if (waitMs > 0) nowMs += waitMs;
    else {
      limit.charge(bytes);
      count++;
    }
  }
  return count;
}

const near = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) <= expected * 0.02 + 2, `found ${found}, expected about ${expected}`);

test("RateLimit: lets through what is allowed over time, and a tenth of a second's share at once", () => {
  near(served({ iops: 500 }, 4096, 10), 5050);
  near(served({ iops: 0.5 }, 4096, 20), 11);
  near(served({ bytesPerSecond: 1_000_000 }, 4096, 10), 10_100_000 / 4096);
  near(served({ bytesPerSecond: 1_000_000 }, 8_000_000, 80), 11);
  near(served({ iops: 100, bytesPerSecond: 1_000_000 }, 1000, 10), 1010);
});

test("block: requests beyond the limit wait in the queue, and are served when their time has come", () => {
  let nowMs = 0;
  const block = new Block(new MemoryBackend(new Uint8Array(4096)), { limits: { iops: 10 }, nowMs: () => nowMs });
  const driver = new GuestDriver(block);
  const [queue] = driver.start(1, ringFeaturesWithout(Feature.eventIndex));
  for (let i = 0; i < 3; i++) driver.add(queue, [new Uint8Array(16), 512, 1]);
  driver.notify(queue);
  assert.equal(driver.used(queue).length, 1);
  assert.equal(block.active, true);
  assert.ok(block.waitMs() > 0 && block.waitMs() <= 100);
  block.work();
  assert.equal(driver.used(queue).length, 0);
  nowMs += block.waitMs() + 0.001;
  driver.acknowledge();
  block.work();
  assert.equal(driver.used(queue).length, 1);
  assert.equal(driver.level, true);
  driver.transport.reset();
  assert.equal(block.active, false);
  assert.equal(block.waitMs(), Number.POSITIVE_INFINITY);
});
