import assert from "node:assert/strict";
import { test } from "node:test";
import { Receiver, Sender } from "../channel/channel.ts";
import { wire } from "../partition/wiring.ts";
import { InputBridge, OutputBridge } from "./bridge.ts";

const wiring = () => wire({ memoryMiB: 1, cpus: 1, boot: { kernel: "k" }, disks: [], ports: [] }).console;

test("InputBridge: offers again what a device did not take", () => {
  const port = wiring();
  const sender = new Sender(port.input);
  sender.write(Uint8Array.of(1, 2, 3, 4, 5));
  sender.close();
  const bridge = new InputBridge(port);
  const seen: number[] = [];
  const takeTwo = (bytes: Uint8Array): number => {
    const taken = bytes.subarray(0, 2);
    seen.push(...taken);
    return taken.length;
  };
  bridge.pump(takeTwo);
  assert.deepEqual(seen, [1, 2]);
  assert.equal(bridge.ended, false);
  bridge.pump(takeTwo);
  bridge.pump(takeTwo);
  assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  assert.equal(bridge.ended, true);
});

test("InputBridge: delivers nothing twice to a device that asks for more while it takes some", () => {
  const port = wiring();
  new Sender(port.input).write(Uint8Array.of(1, 2, 3));
  const bridge = new InputBridge(port);
  const seen: number[] = [];
  const take = (bytes: Uint8Array): number => {
    seen.push(...bytes);
    bridge.pump(take);
    return bytes.length;
  };
  bridge.pump(take);
  assert.deepEqual(seen, [1, 2, 3]);
});

test("OutputBridge: holds what does not fit and keeps the order", () => {
  const port = wiring();
  const bridge = new OutputBridge(port);
  const receiver = new Receiver(port.output);
  const bytes = new Uint8Array(100_000).map((_, i) => i);
  assert.equal(bridge.send(bytes.subarray(0, 70_000)), false);
  assert.equal(bridge.send(bytes.subarray(70_000)), false);
  const got: Uint8Array[] = [];
  while (!bridge.clear) {
    got.push(receiver.read());
    bridge.pump();
  }
  got.push(receiver.read());
  assert.deepEqual(Buffer.concat(got), Buffer.from(bytes));
});

test("OutputBridge: drops what its owner does not want", () => {
  const port = wiring();
  const bridge = new OutputBridge(port);
  bridge.send(new Uint8Array(70_000));
  new Receiver(port.output).cancel();
  assert.equal(bridge.pump(), true);
});
