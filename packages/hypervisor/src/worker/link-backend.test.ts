import assert from "node:assert/strict";
import { test } from "node:test";
import { noOffload } from "@bulkhead/network";
import { Doorbell } from "../channel/doorbell.ts";
import { FrameReceiver, frameMemory } from "../channel/frame-ring.ts";
import { LinkBackend } from "./link-backend.ts";

function cable() {
  const [guest, owner] = [new Doorbell(), new Doorbell()];
  const fromGuest = frameMemory(2 ** 18, guest, owner);
  const backend = new LinkBackend({ fromGuest, toGuest: frameMemory(2 ** 18, owner, guest) });
  const receiver = new FrameReceiver(fromGuest);
  /** Sends a frame as a notification does. @returns how often the owner was woken for it. */
  const send = (): number => {
    const before = owner.count;
    backend.send([new Uint8Array(60)], 60, noOffload);
    backend.flush();
    return owner.count - before;
  };
  /** Ends a slice. @returns how often the owner was woken by that. */
  const settle = (): number => {
    const before = owner.count;
    backend.settle();
    return owner.count - before;
  };
  return { backend, receiver, send, settle };
}

test("LinkBackend: wakes the owner for the first frame of a slice at once, and at its end for all others together", () => {
  const { receiver, send, settle } = cable();
  assert.deepEqual([send(), send(), send()], [1, 0, 0]);
  assert.deepEqual([settle(), settle()], [1, 0]);
  for (let frame = 0; frame < 3; frame++) {
    assert.ok(receiver.next() !== undefined);
    receiver.drop();
  }
});

test("LinkBackend: wakes the owner only at the end of a slice while there are many frames", () => {
  const { send, settle } = cable();
  send();
  send();
  settle();
  assert.deepEqual([send(), send(), settle()], [0, 0, 1]);
  assert.deepEqual([send(), settle()], [0, 1], "one frame alone ends it");
  assert.deepEqual([send(), settle()], [1, 0]);
});

test("LinkBackend: lets the owner see frames that it was not woken for", () => {
  const { receiver, send } = cable();
  send();
  receiver.next();
  receiver.drop();
  assert.equal(send(), 0);
  assert.ok(receiver.next() !== undefined);
});
