import assert from "node:assert/strict";
import { test } from "node:test";
import { allAbilities, frameBytes, MAX_FRAME_BYTES, noAbilities, noOffload } from "@bulkhead/network";
import { HostLink } from "../partition/host-link.ts";
import { LinkBackend } from "../worker/link-backend.ts";
import { Doorbell } from "./doorbell.ts";
import { FrameReceiver, FrameSender, frameMemory } from "./frame-ring.ts";

const CAPACITY = 2 ** 18;

function pair() {
  const sending = new Doorbell();
  const receiving = new Doorbell();
  const memory = frameMemory(CAPACITY, sending, receiving);
  return { memory, sending, receiving, sender: new FrameSender(memory), receiver: new FrameReceiver(memory) };
}

const frame = (length: number, first = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => first + i);

test("frameMemory: refuses a capacity that is too small or no power of two", () => {
  for (const capacity of [0, 2 ** 17, 300_000, 2 ** 31]) {
    assert.throws(() => frameMemory(capacity, new Doorbell(), new Doorbell()), RangeError);
  }
});

test("FrameSender: frames are seen behind a flush, which rings once", () => {
  const { sender, receiver, receiving } = pair();
  const offload = { checksumStart: 34, checksumOffset: 16, segmentation: 4, segmentBytes: 1448, headerBytes: 66 };
  assert.equal(sender.write([frame(40), frame(20, 40)], 60, offload), true);
  assert.equal(sender.write([frame(14)], 14, noOffload), true);
  assert.equal(receiver.next(), undefined);
  sender.flush();
  sender.flush();
  assert.equal(receiving.count, 1);
  const first = receiver.next() ?? assert.fail();
  assert.deepEqual([...frameBytes(first)], [...frame(60)]);
  assert.deepEqual(first.offload, offload);
  assert.equal(receiver.next()?.length, 60, "the same one until it is dropped");
  receiver.drop();
  assert.deepEqual(receiver.next()?.offload, noOffload);
  receiver.drop();
  assert.equal(receiver.next(), undefined);
});

test("FrameSender: says when it is full, and is woken when there is room", () => {
  const { sender, receiver, sending, receiving } = pair();
  let count = 0;
  while (sender.write([new Uint8Array(MAX_FRAME_BYTES)], MAX_FRAME_BYTES, noOffload)) count++;
  assert.equal(count, 3);
  assert.equal(receiving.count, 1, "what was written before is seen, or there would never be room");
  assert.equal(sender.room, false);
  assert.equal(sender.write([frame(60)], 60, noOffload), true, "a small one still fits");
  receiver.next();
  receiver.drop();
  assert.equal(sending.count, 0);
  receiver.flush();
  assert.equal(sending.count, 1);
  assert.equal(sender.room, true);
  receiver.next();
  receiver.drop();
  receiver.flush();
  assert.equal(sending.count, 1, "nobody waits any more");
});

test("FrameRing: keeps every frame in order, positions wrapping round 2^32", (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (limit: number): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  const { memory } = pair();
  new Int32Array(memory.ring, 0, 2).fill(-4 * CAPACITY);
  const [sender, receiver] = [new FrameSender(memory), new FrameReceiver(memory)];
  const lengths: number[] = [];
  let sent = 0;
  let received = 0;
  for (let step = 0; step < 100_000 && received < 800; step++) {
    if (random(2) === 0) {
      const length = random(4) === 0 ? MAX_FRAME_BYTES - random(100) : 14 + random(2000);
      const bytes = new Uint8Array(length).fill(sent & 0xff);
      if (!sender.write([bytes.subarray(0, 14), bytes.subarray(14)], length, noOffload)) continue;
      lengths.push(length);
      sent++;
      if (random(3) === 0) sender.flush();
    } else {
      const next = receiver.next();
      if (next === undefined) {
        // Whoever has nothing to do tells the other what it has done.
        receiver.flush();
        sender.flush();
        continue;
      }
      assert.equal(next.length, lengths[received]);
      assert.ok(next.parts[0].every((byte) => byte === (received & 0xff)));
      receiver.drop();
      received++;
      if (random(3) === 0) receiver.flush();
    }
  }
  assert.equal(received, 800);
});

test("HostLink: frames both ways, what the guest can, and room that comes back", async () => {
  const [owner, partition] = [new Doorbell(), new Doorbell()];
  const wiring = {
    toGuest: frameMemory(CAPACITY, owner, partition),
    fromGuest: frameMemory(CAPACITY, partition, owner),
  };
  const link = new HostLink(wiring);
  const guest = new LinkBackend(wiring);
  assert.deepEqual(link.abilities, noAbilities);
  guest.accept(allAbilities);
  assert.deepEqual(link.abilities, allAbilities);
  const got: number[] = [];
  const changed = { resolve: (): void => {} };
  let rooms = 0;
  const listening = link.listen({
    frame: ({ length }) => {
      got.push(length);
      changed.resolve();
    },
    room: () => {
      rooms++;
      changed.resolve();
    },
  });
  const change = () => new Promise<void>((resolve) => (changed.resolve = resolve));
  let next = change();
  guest.send([frame(60)], 60, noOffload);
  guest.flush();
  await next;
  assert.deepEqual(got, [60]);
  const large = { parts: [new Uint8Array(MAX_FRAME_BYTES)], length: MAX_FRAME_BYTES, offload: noOffload };
  while (link.deliver(large));
  next = change();
  assert.equal(guest.next()?.length, MAX_FRAME_BYTES);
  guest.drop();
  guest.flush();
  await next;
  assert.equal(rooms, 1);
  link.close();
  await listening;
  assert.equal(link.deliver(large), true, "a frame for nobody is gone, not refused");
});
