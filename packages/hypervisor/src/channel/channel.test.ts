import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { channelMemory, Receiver, Sender } from "./channel.ts";
import { Doorbell } from "./doorbell.ts";
import { Mailbox } from "./mailbox.ts";

const pair = (capacity: number) => {
  const sending = new Doorbell();
  const receiving = new Doorbell();
  const memory = channelMemory(capacity, sending, receiving);
  return { memory, sending, receiving, sender: new Sender(memory), receiver: new Receiver(memory) };
};

/** A small generator with a printed seed, so that a failure can be run again. */
const randomFrom = (seed: number) => {
  let state = seed >>> 0;
  return (below: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
};

test("channelMemory: refuses a capacity that is no power of two", () => {
  assert.throws(() => pair(0), RangeError);
  assert.throws(() => pair(24), RangeError);
});

test("Sender: takes only what fits and says how much", () => {
  const { sender, receiver } = pair(8);
  assert.equal(sender.write(new Uint8Array(5).fill(1)), 5);
  assert.equal(sender.write(new Uint8Array(5).fill(2)), 3);
  assert.equal(sender.room, 0);
  assert.deepEqual([...receiver.read()], [1, 1, 1, 1, 1, 2, 2, 2]);
  assert.equal(sender.room, 8);
});

test("Sender: rings the receiver's doorbell, and Receiver the sender's", () => {
  const { sender, receiver, sending, receiving } = pair(8);
  sender.write(new Uint8Array(1));
  assert.equal(receiving.count, 1);
  assert.equal(sending.count, 0);
  receiver.read();
  assert.equal(sending.count, 1);
});

test("Sender.close: ends the channel only after what is in flight", () => {
  const { sender, receiver } = pair(8);
  sender.write(new Uint8Array([7]));
  sender.close();
  assert.equal(sender.write(new Uint8Array([8])), 0);
  assert.equal(receiver.ended, false);
  assert.deepEqual([...receiver.read()], [7]);
  assert.equal(receiver.ended, true);
});

test("Receiver.cancel: takes the sender's room away", () => {
  const { sender, receiver } = pair(8);
  receiver.cancel();
  assert.equal(sender.cancelled, true);
  assert.equal(sender.write(new Uint8Array([1])), 0);
});

test("Channel: keeps every byte in order over random writes and reads, positions wrapping round 2^32", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = randomFrom(seed);
  const { memory, sender, receiver } = pair(64);
  new Int32Array(memory.ring, 0, 2).fill(-256);
  let sent = 0;
  let received = 0;
  for (let step = 0; step < 20_000; step++) {
    if (random(2) === 0) {
      const data = new Uint8Array(random(100)).map((_, i) => sent + i);
      const room = sender.room;
      const count = sender.write(data);
      assert.equal(count, Math.min(room, data.length), `seed ${seed}`);
      sent += count;
    } else {
      for (const byte of receiver.read(random(100))) assert.equal(byte, received++ & 0xff, `seed ${seed}`);
    }
    assert.equal(receiver.pending, sent - received, `seed ${seed}`);
  }
});

test("Mailbox: streams a megabyte through a small ring to another thread and back", async () => {
  const mine = new Doorbell();
  const theirs = new Doorbell();
  const there = channelMemory(1024, mine, theirs);
  const back = channelMemory(512, theirs, mine);
  const source = `
    const { workerData } = require("node:worker_threads");
    Promise.all([import(${JSON.stringify(new URL("./channel.ts", import.meta.url).href)}),
      import(${JSON.stringify(new URL("./doorbell.ts", import.meta.url).href)})]).then(([{ Sender, Receiver }, { Doorbell }]) => {
      const input = new Receiver(workerData.there), output = new Sender(workerData.back);
      const bell = new Doorbell(workerData.there.receiver);
      for (;;) {
        const seen = bell.count;
        const data = input.read(output.room);
        output.write(data);
        if (input.ended) break;
        if (data.length === 0) bell.sleep(seen);
      }
      output.close();
    });`;
  const worker = new Worker(source, { eval: true, workerData: { there, back } });
  const mailbox = new Mailbox(mine);
  const total = 1 << 20;
  const pattern = (at: number): number => (at * 31 + (at >> 8)) & 0xff;
  const send = async (): Promise<void> => {
    const sender = new Sender(there);
    for (let at = 0; at < total; at += 4096) {
      await mailbox.write(
        sender,
        new Uint8Array(4096).map((_, i) => pattern(at + i)),
      );
    }
    sender.close();
  };
  const receive = async (): Promise<number> => {
    const receiver = new Receiver(back);
    let at = 0;
    for (let data = await mailbox.read(receiver); data !== undefined; data = await mailbox.read(receiver)) {
      for (const byte of data) if (byte !== pattern(at++)) assert.fail(`byte ${at - 1} differs`);
    }
    return at;
  };
  const [, count] = await Promise.all([send(), receive()]);
  assert.equal(count, total);
  await worker.terminate();
});

test("Mailbox.close: ends reads and writes that wait", async () => {
  const { memory, sending } = pair(4);
  const mailbox = new Mailbox(sending);
  const blocked = mailbox.write(new Sender(memory), new Uint8Array(5));
  mailbox.close();
  assert.equal(await blocked, false);
  const backwards = channelMemory(4, new Doorbell(), sending);
  assert.equal(await mailbox.read(new Receiver(backwards)), undefined);
});
