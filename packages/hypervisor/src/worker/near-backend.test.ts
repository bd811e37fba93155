import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetBackend } from "@bulkhead/devices";
import { type Frame, frameOf, noOffload } from "@bulkhead/network";
import { NearBackend } from "./near-backend.ts";

/** An echo request of IPv4 to the gateway, captured from a guest. */
const REQUEST = Uint8Array.fromHex(
  "02626b00000202000000007708004500002000004000400122cd0a00020f0a0002020800f7fd0001000100000000",
);

function fixture() {
  const sent: number[] = [];
  const waiting: Frame[] = [];
  const far: NetBackend = {
    room: true,
    send: (_parts, length) => void sent.push(length),
    next: () => waiting[0],
    drop: () => void waiting.shift(),
    flush() {},
    settle() {},
    accept() {},
  };
  return { near: new NearBackend(far, 1500), sent, waiting };
}

test("NearBackend: answers what it can itself, ahead of what waits at the far end", () => {
  const { near, sent, waiting } = fixture();
  waiting.push(frameOf(new Uint8Array(60)));
  near.send([REQUEST], REQUEST.length, noOffload);
  near.send([new Uint8Array(80)], 80, noOffload);
  assert.deepEqual(sent, [80]);
  assert.equal(near.next()?.parts[0][34], 0, "an echo reply");
  near.drop();
  assert.equal(near.next()?.length, 60);
  near.drop();
  assert.equal(near.next(), undefined);
});

test("NearBackend: keeps a bounded number of answers for a driver that takes none", () => {
  const { near } = fixture();
  for (let count = 0; count < 1000; count++) near.send([REQUEST], REQUEST.length, noOffload);
  let answers = 0;
  for (; near.next() !== undefined; near.drop()) answers++;
  assert.equal(answers, 64);
});
