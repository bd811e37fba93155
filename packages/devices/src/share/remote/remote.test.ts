import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import { BufferExchange, pack } from "../../testing/fuse-client.ts";
import { fuzzDevice } from "../../testing/fuzz-device-node.ts";
import { seededRandom } from "../../testing/random.ts";
import type { ShareServerData } from "../../testing/share-server-node.ts";
import { Share } from "../device.ts";
import { Errno } from "../errno.ts";
import { Opcode, ROOT_NODE } from "../fuse/protocol.ts";
import { RemoteShareState, remoteShareMemory, SlotMemory } from "./memory.ts";
import { RemoteService } from "./service.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** A thread that takes so long has failed. */
const PATIENCE_MS = 20_000;

const request = (opcode: number, node: number, body: Uint8Array = new Uint8Array(0), unique = 1): Uint8Array =>
  pack(40 + body.length, opcode, BigInt(unique), BigInt(node), 0, 0, 1, 0, body);
const init = request(Opcode.init, 0, pack(7, 38, 131072, 0xffff_ffff, new Uint8Array(48)));

async function remote(t: TestContext) {
  const path = mkdtempSync(join(tmpdir(), "bulkhead-remote-"));
  const data: ShareServerData = { memory: remoteShareMemory(), path, bell: new SharedArrayBuffer(4) };
  const worker = new Worker(new URL("../../testing/share-server-node.ts", import.meta.url), { workerData: data });
  const ended = once(worker, "exit");
  const service = new RemoteService(data.memory, false);
  t.after(async () => {
    service.close();
    await ended;
    rmSync(path, { recursive: true });
  });
  const word = new Int32Array(data.bell);
  /** Polls until a condition holds, sleeping while nothing has come. */
  const until = (condition: () => boolean): void => {
    for (;;) {
      const seen = Atomics.load(word, 0);
      service.poll();
      if (condition()) return;
      if (Atomics.wait(word, 0, seen, PATIENCE_MS) === "timed-out") throw new Error("the server does not answer");
    }
  };
  /** Serves one request to its end. */
  const ask = (bytes: Uint8Array, room = 200): DataView => {
    let done = false;
    const exchange = new BufferExchange(bytes, room);
    service.serve(exchange, (wrong) => {
      assert.equal(wrong, undefined);
      done = true;
    });
    until(() => done);
    return new DataView(exchange.answer.buffer);
  };
  return { service, until, ask, path, memory: new SlotMemory(data.memory), worker, ended };
}

test("remote: answers what a session would answer, data of a MiB included", async (t) => {
  const { ask, path } = await remote(t);
  assert.equal(ask(init).getInt32(4, true), 0);
  const node = Number(ask(request(Opcode.mknod, ROOT_NODE, pack(0o100644, 0, 0, 0, "f"))).getBigUint64(16, true));
  const content = Uint8Array.from({ length: 1 << 20 }, (_, i) => i * 31);
  const write = request(Opcode.write, node, pack(0n, 0n, content.length, 0, 0n, 0, 0, content));
  assert.equal(ask(write).getUint32(16, true), content.length);
  assert.deepEqual(new Uint8Array(readFileSync(join(path, "f"))), content);
  const read = request(Opcode.read, node, pack(0n, 0n, content.length, 0, 0n, 0, 0));
  const answer = ask(read, content.length + 16);
  assert.equal(answer.getUint32(0, true), content.length + 16);
  assert.deepEqual(new Uint8Array(answer.buffer, 16), content);
});

test("remote: more requests than slots, in order, each with its own answer", async (t) => {
  const { service, until, ask } = await remote(t);
  ask(init);
  const order: number[] = [];
  const exchanges = Array.from({ length: 100 }, (_, i) => {
    const bytes = request(Opcode.mkdir, ROOT_NODE, pack(0o755, 0, `d${i % 50}`), i + 1);
    const exchange = new BufferExchange(bytes, 200);
    service.serve(exchange, () => order.push(i));
    return exchange;
  });
  until(() => order.length === 100);
  assert.deepEqual(order, [...Array(100).keys()]);
  for (const [i, { answer }] of exchanges.entries()) {
    const view = new DataView(answer.buffer);
    assert.deepEqual([Number(view.getBigUint64(8, true)), view.getInt32(4, true)], [i + 1, i < 50 ? 0 : -Errno.EEXIST]);
  }
});

test("remote: what a guest does wrong is said, and nobody is told of what it has forgotten", async (t) => {
  const { service, until, ask } = await remote(t);
  ask(init);
  let wrong: string | undefined;
  service.serve(new BufferExchange(new Uint8Array(5), 100), (sentence) => {
    wrong = sentence;
  });
  until(() => wrong !== undefined);
  assert.match(wrong ?? "", /lacks its header/);
  service.serve(new BufferExchange(request(Opcode.getattr, 1, new Uint8Array(16)), 120), () => assert.fail("told"));
  service.reset();
  assert.equal(ask(init).getInt32(4, true), 0);
});

test("remote: a thread that has gone is an error for every request, now and later", async (t) => {
  const { service, ask, memory, worker, ended } = await remote(t);
  ask(init);
  await worker.terminate();
  await ended;
  const lost = new BufferExchange(request(Opcode.getattr, 1, new Uint8Array(16), 77), 120);
  let answers = 0;
  service.serve(lost, () => answers++);
  memory.setState(RemoteShareState.failed);
  service.poll();
  assert.equal(answers, 1);
  const view = new DataView(lost.answer.buffer);
  assert.deepEqual([view.getInt32(4, true), Number(view.getBigUint64(8, true))], [-Errno.EIO, 77]);
  service.serve(new BufferExchange(request(Opcode.forget, 1, pack(1n)), 0), () => answers++);
  assert.equal(answers, 2);
});

test("remote: a share's device with a thread, under a guest gone mad", async (t) => {
  const { service, until, ask } = await remote(t);
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  const device = new Share(service, { tag: "x" });
  const opcodes = Object.values(Opcode);
  const plausible = (): Uint8Array =>
    random.below(8) === 0 ? init : request(random.pick(opcodes), random.below(4), pack("d", 0, 0n, random.bytes(40)));
  fuzzDevice(device, random, { rounds: 1500, plausible, host: () => device.work() });
  device.reset();
  assert.throws(() => device.save(), { code: "state-mismatch" });
  until(() => device.settled);
  assert.equal(ask(init).getInt32(4, true), 0);
});
