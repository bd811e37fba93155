import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { GuestDriver } from "../../testing/guest-driver.ts";
import { seededRandom } from "../../testing/random.ts";
import { Block } from "../device.ts";
import { MemoryBackend } from "../memory-backend.ts";
import { BlockingDisk } from "./blocking.ts";
import { RemoteDisk } from "./disk.ts";
import { RemoteState, RemoteView, remoteMemory, SLOT_BYTES, SLOTS } from "./memory.ts";
import { type AsyncBackend, DiskServer, type ServedRequest } from "./server.ts";

const SIZE = 8 * 1024 * 1024;
const shape = { size: SIZE, readOnly: false, canDiscard: true };

/** A backend whose answers the test gives, in any order. */
class HeldBackend implements AsyncBackend {
  readonly size = SIZE;
  readonly readOnly = false;
  readonly canDiscard = true;
  readonly plain = new MemoryBackend(new Uint8Array(SIZE));
  readonly held: { request: ServedRequest; answer: (error?: unknown) => void }[] = [];

  serve(request: ServedRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      const answer = (error?: unknown): void => {
        if (error !== undefined) reject(error);
        else {
          if (request.kind === "read") this.plain.read(request.offset, request.data);
          if (request.kind === "write") this.plain.write(request.offset, request.data);
          resolve();
        }
      };
      this.held.push({ request, answer });
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function machine() {
  const memory = remoteMemory();
  const disk = new RemoteDisk(memory, shape);
  const backend = new HeldBackend();
  let woken = 0;
  const server = new DiskServer(memory, () => woken++);
  const closed = server.serveLater(backend);
  return { memory, disk, backend, closed, woken: () => woken };
}

test("RemoteDisk: serves requests of any size in any order, and copies only where it may", async (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const { disk, backend, closed } = machine();
  const expected = new Uint8Array(SIZE);
  for (let round = 0; round < 30; round++) {
    let open = 0;
    const reads: (() => void)[] = [];
    // Requests that are under way together must not overlap: each has a part of the disk of its own.
    for (let i = 0; i < 12; i++) {
      const offset = i * (SIZE / 16) + 512 * random.below(64);
      const lengths = Array.from(
        { length: 1 + random.below(4) },
        () => 512 * (1 + random.below(random.pick([8, 100]))),
      );
      const kind = random.pick(["read", "write"] as const);
      const pieces = lengths.map((length) => (kind === "read" ? new Uint8Array(length) : random.bytes(length)));
      open++;
      disk.submit({ kind, offset, pieces }, (error) => {
        assert.equal(error, undefined);
        open--;
      });
      if (kind === "read") reads.push(() => assert.deepEqual(joined(pieces), part(expected, offset, lengths)));
      else expected.set(joined(pieces), offset);
    }
    while (open > 0) {
      await settled();
      while (backend.held.length > 0) backend.held.splice(random.below(backend.held.length), 1)[0].answer();
      await settled();
      disk.poll();
    }
    for (const check of reads) check();
  }
  disk.close();
  await closed;
});

const joined = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((piece) => [...piece]));
const part = (bytes: Uint8Array, offset: number, lengths: readonly number[]): Uint8Array =>
  bytes.slice(offset, offset + lengths.reduce((a, b) => a + b));

test("RemoteDisk: holds back what there is no slot for", async () => {
  const { disk, backend } = machine();
  let done = 0;
  const bytes = new Uint8Array(SLOT_BYTES * (SLOTS + 10)).fill(5);
  disk.submit({ kind: "write", offset: 0, pieces: [bytes] }, () => done++);
  disk.submit({ kind: "flush" }, () => done++);
  await settled();
  assert.equal(backend.held.length, SLOTS);
  for (const { answer } of backend.held.splice(0)) answer();
  await settled();
  disk.poll();
  assert.equal(done, 0);
  await settled();
  assert.equal(backend.held.length, 11);
  for (const { answer } of backend.held.splice(0)) answer();
  await settled();
  disk.poll();
  assert.equal(done, 2);
  assert.equal(backend.plain.bytes[bytes.length - 1], 5);
});

test("RemoteDisk: a part that fails fails its request, with the server's words", async () => {
  const { disk, backend } = machine();
  const errors: unknown[] = [];
  disk.submit({ kind: "write", offset: 0, pieces: [new Uint8Array(SLOT_BYTES * 2)] }, (error) => errors.push(error));
  await settled();
  backend.held[0].answer(new Error("no space left"));
  backend.held[1].answer();
  await settled();
  disk.poll();
  assert.match(String(errors[0]), /no space left/);
  assert.equal(errors.length, 1);
});

test("RemoteDisk: what is forgotten touches nothing, and a server that has gone fails what is under way", async () => {
  const { disk, backend, memory } = machine();
  const into = new Uint8Array(512);
  backend.plain.write(0, new Uint8Array(512).fill(1));
  disk.submit({ kind: "read", offset: 0, pieces: [into] }, () => assert.fail("it was forgotten"));
  await settled();
  disk.forget();
  backend.held.splice(0)[0].answer();
  await settled();
  disk.poll();
  assert.equal(into[0], 0);
  const errors: unknown[] = [];
  disk.submit({ kind: "read", offset: 0, pieces: [into] }, (error) => errors.push(error));
  new RemoteView(memory).setState(RemoteState.failed);
  disk.poll();
  assert.match(String(errors[0]), /has gone/);
});

test("block: a guest's requests end when the disk answers; after a reset nothing is written to its memory", async () => {
  const { disk, backend } = machine();
  const block = new Block(disk);
  const driver = new GuestDriver(block);
  const [queue] = driver.start(1);
  backend.plain.write(0, new Uint8Array(512).fill(7));
  const [, data, status] = driver.add(queue, [new Uint8Array(16), 512, 1]);
  driver.bytes(status, 1)[0] = 0xee;
  driver.notify(queue);
  await settled();
  assert.deepEqual([driver.used(queue).length, block.active, block.waitMs()], [0, true, Number.POSITIVE_INFINITY]);
  backend.held.splice(0)[0].answer();
  await settled();
  block.work();
  assert.deepEqual([driver.used(queue).length, driver.level, block.active], [1, true, false]);
  assert.deepEqual([driver.bytes(data, 1)[0], driver.bytes(status, 1)[0]], [7, 0]);
  driver.add(queue, [new Uint8Array(16), 512, 1]);
  driver.notify(queue);
  await settled();
  driver.transport.reset();
  assert.equal(block.active, false);
  const before = driver.bytes(data, 4096).slice();
  backend.held.splice(0)[0].answer();
  await settled();
  block.work();
  assert.deepEqual(driver.bytes(data, 4096), before);
});

test("BlockingDisk: waits for a server in another thread", async () => {
  const memory = remoteMemory();
  const server = new URL("./server.ts", import.meta.url).href;
  const backend = new URL("../memory-backend.ts", import.meta.url).href;
  const source = `import { workerData } from "node:worker_threads";
    const [{ DiskServer }, { MemoryBackend }] = await Promise.all([import("${server}"), import("${backend}")]);
    new DiskServer(workerData, () => {}).serve(new MemoryBackend(new Uint8Array(${SIZE})));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: memory });
  const disk = new BlockingDisk(memory, shape);
  const bytes = new Uint8Array(300_032).fill(3);
  disk.write(512, bytes);
  disk.writeZeroes(1024, 512, true);
  disk.flush();
  const found = new Uint8Array(300_544);
  disk.read(0, found);
  assert.deepEqual([found[511], found[512], found[1024], found[1536], found[300_543]], [0, 3, 0, 3, 3]);
  const exited = new Promise((resolve) => worker.on("exit", resolve));
  disk.close();
  assert.equal(await exited, 0);
});
