import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzDevice } from "../testing/fuzz-device-node.ts";
import { GuestDriver } from "../testing/guest-driver.ts";
import { seededRandom } from "../testing/random.ts";
import { Entropy } from "./device.ts";

test("entropy: fills what the driver lends, across descriptors", () => {
  let next = 0;
  const driver = new GuestDriver(
    new Entropy((into) => {
      for (let i = 0; i < into.length; i++) into[i] = ++next;
    }),
  );
  const [queue] = driver.start(1);
  const [first, second] = driver.add(queue, [3, 5]);
  driver.notify(queue);
  assert.deepEqual([...driver.bytes(first, 3), ...driver.bytes(second, 5)], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(driver.used(queue), [{ head: 0, length: 8 }]);
  assert.equal(driver.level, true);
});

test("entropy: the host's random numbers by default", () => {
  const driver = new GuestDriver(new Entropy());
  const [queue] = driver.start(1);
  const [buffer] = driver.add(queue, [64]);
  driver.notify(queue);
  assert.ok(new Set(driver.bytes(buffer, 64)).size > 8);
});

test("entropy: at most 64 KiB per request, and nothing for a request without room", () => {
  const driver = new GuestDriver(new Entropy());
  const [queue] = driver.start(1);
  driver.add(queue, [100_000]);
  driver.add(queue, [Uint8Array.of(1)]);
  driver.notify(queue);
  assert.deepEqual(
    driver.used(queue).map(({ length }) => length),
    [65536, 0],
  );
});

test("restore: takes its own version only", () => {
  const device = new Entropy();
  device.restore(device.save());
  assert.throws(() => device.restore({ version: 2 }), { code: "state-mismatch" });
  assert.throws(() => device.restore(undefined), { code: "state-mismatch" });
});

test("entropy: survives a guest gone mad", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  fuzzDevice(new Entropy(), random, { rounds: 3000, plausible: () => new Uint8Array(16) });
});
