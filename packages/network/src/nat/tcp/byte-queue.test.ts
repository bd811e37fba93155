import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../testing/random.ts";
import { BUFFER_BYTES, BufferPool } from "../buffer-pool.ts";
import { ByteQueue } from "./byte-queue.ts";

const joined = (views: readonly Uint8Array[]): Buffer => Buffer.concat(views);

test("ByteQueue: gives what was appended, whole or in part, until it is dropped", (t) => {
  const random = seededRandom(t);
  const queue = new ByteQueue(new BufferPool());
  let expected = Buffer.alloc(0);
  for (let step = 0; step < 400; step++) {
    const bytes = new Uint8Array(random(8) === 0 ? random(3 * BUFFER_BYTES) : random(3000)).fill(step);
    queue.append(bytes);
    expected = Buffer.concat([expected, bytes]);
    bytes.fill(0);
    const offset = random(expected.length + 1);
    const length = random(100_000);
    assert.ok(joined(queue.views(offset, length)).equals(expected.subarray(offset, offset + length)));
    const dropped = random(3) === 0 ? expected.length : random(expected.length + 1);
    queue.drop(dropped);
    expected = expected.subarray(dropped);
    assert.equal(queue.length, expected.length);
  }
});

test("ByteQueue: gives its buffers back when it is empty, and takes none for a few bytes", () => {
  let taken = 0;
  const pool = new BufferPool();
  const counting = {
    take: () => {
      taken++;
      return pool.take();
    },
    give: (buffer: Uint8Array<ArrayBuffer>) => {
      taken--;
      pool.give(buffer);
    },
  } as unknown as BufferPool;
  const queue = new ByteQueue(counting);
  queue.append(new Uint8Array(100));
  assert.equal(taken, 0);
  queue.append(new Uint8Array(2 * BUFFER_BYTES));
  assert.equal(taken, 2);
  queue.drop(queue.length);
  assert.equal(taken, 0);
  queue.append(new Uint8Array(BUFFER_BYTES));
  queue.clear();
  assert.deepEqual([taken, queue.length], [0, 0]);
});
