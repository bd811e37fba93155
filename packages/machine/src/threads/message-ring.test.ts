import assert from "node:assert/strict";
import { test } from "node:test";
import { Message, MessageRing, RING_BYTES } from "./message-ring.ts";

function pair(): [MessageRing, MessageRing] {
  const memory = new SharedArrayBuffer(RING_BYTES);
  return [new MessageRing(memory, 0), new MessageRing(memory, 0)];
}

test("MessageRing: hands messages over in order, with their operands", () => {
  const [sender, receiver] = pair();
  assert.equal(receiver.receive(), 0);
  sender.send(Message.protect, 7, 0, 0);
  sender.send(Message.fenceAddresses, -4096, -1, 3);
  assert.equal(receiver.receive(), Message.protect);
  assert.equal(receiver.low, 7);
  assert.equal(receiver.receive(), Message.fenceAddresses);
  assert.deepEqual([receiver.low, receiver.high, receiver.operand], [-4096, -1, 3]);
  assert.equal(receiver.receive(), 0);
});

test("MessageRing: sums up what it has no room for, and asks for the receiver before", () => {
  const [sender, receiver] = pair();
  let urgent = 0;
  for (let i = 0; i < 10_000; i++) if (sender.send(Message.written, i, 0, 0)) urgent++;
  assert.ok(urgent > 0);
  let received = 0;
  while (receiver.receive() !== 0) assert.equal(receiver.low, received++);
  assert.ok(received > 0 && received < 10_000);
  assert.equal(receiver.takeSum(), Message.written);
  assert.equal(receiver.takeSum(), 0);
  assert.equal(sender.send(Message.fenceCode, 0, 0, 0), false);
  assert.equal(receiver.receive(), Message.fenceCode);
});
