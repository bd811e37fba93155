import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { pack } from "../testing/fuse-client.ts";
import { fuzzDevice } from "../testing/fuzz-device-node.ts";
import { GuestDriver } from "../testing/guest-driver.ts";
import { seededRandom } from "../testing/random.ts";
import { sharedFolder } from "../testing/shared-folder-node.ts";
import { Share } from "./device.ts";
import { Opcode, ROOT_NODE } from "./fuse/protocol.ts";
import { LocalService } from "./service.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

const request = (opcode: number, node: number, body: Uint8Array = new Uint8Array(0)): Uint8Array =>
  pack(40 + body.length, opcode, 9n, BigInt(node), 0, 0, 1, 0, body);
const init = request(Opcode.init, 0, pack(7, 38, 131072, 0xffff_ffff, new Uint8Array(48)));

test("config: the tag, and one queue for requests", (t) => {
  const { files } = sharedFolder(t);
  const driver = new GuestDriver(new Share(new LocalService(files), { tag: "share0" }));
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => driver.device.read(0x100 + i, 1));
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 36)).replace(/\0+$/, ""), "share0");
  assert.equal(bytes[36], 1);
  assert.equal(driver.get(0x008), 26);
});

test("requests: are served in any split over descriptors, in the queue's order", (t) => {
  const { files, at } = sharedFolder(t);
  writeFileSync(at("file"), "content of the file");
  const driver = new GuestDriver(new Share(new LocalService(files), { tag: "x" }));
  const [, queue] = driver.start(2);
  driver.add(queue, [init, 80]);
  const name = request(Opcode.lookup, ROOT_NODE, pack("file"));
  const [, , entry] = driver.add(queue, [name.slice(0, 7), name.slice(7), 144]);
  driver.notify(queue);
  assert.equal(driver.used(queue).length, 2);
  const view = (address: number, length: number): DataView => {
    const bytes = driver.bytes(address, length);
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  };
  assert.equal(view(entry, 16).getInt32(4, true), 0);
  const node = Number(view(entry + 16, 8).getBigUint64(0, true));
  const read = request(Opcode.read, node, pack(0n, 8n, 100, 0, 0n, 0, 0));
  const [, head, first, rest] = driver.add(queue, [read, 10, 9, 200]);
  driver.notify(queue);
  assert.equal(view(head, 4).getUint32(0, true), 16 + 11);
  const answer = [...driver.bytes(head, 10), ...driver.bytes(first, 9), ...driver.bytes(rest, 8)];
  assert.equal(String.fromCharCode(...answer.slice(16)), "of the file");
  assert.ok(!driver.needsReset);
});

test("requests: one without header or room for an answer stops the device, until a reset", (t) => {
  const { files } = sharedFolder(t);
  const driver = new GuestDriver(new Share(new LocalService(files), { tag: "x" }));
  for (const buffers of [[new Uint8Array(10), 100], [request(Opcode.getattr, 1), 8], [request(Opcode.getattr, 1)]]) {
    const [, queue] = driver.start(2);
    driver.add(queue, buffers);
    driver.notify(queue);
    assert.ok(driver.needsReset);
  }
  const [, queue] = driver.start(2);
  driver.add(queue, [init, 80]);
  driver.notify(queue);
  assert.equal(driver.used(queue).length, 1);
});

test("forget: needs no room for an answer", (t) => {
  const { files, client } = sharedFolder(t);
  const device = new Share(new LocalService(files), { tag: "x" });
  const driver = new GuestDriver(device);
  const [urgent, queue] = driver.start(2);
  driver.add(queue, [init, 80]);
  driver.notify(queue);
  const { node } = client.makeFile(ROOT_NODE, "f");
  driver.add(urgent, [request(Opcode.forget, node, pack(1n))]);
  driver.notify(urgent);
  assert.deepEqual(driver.used(urgent), [{ head: 0, length: 0 }]);
  assert.equal(files.save().length, 1);
});

test("save, restore: a share goes on where it was, and only that one", (t) => {
  const { files, client } = sharedFolder(t);
  const device = new Share(new LocalService(files), { tag: "x" });
  const driver = new GuestDriver(device);
  const [, queue] = driver.start(2);
  driver.add(queue, [init, 80]);
  driver.notify(queue);
  const { node } = client.makeFile(ROOT_NODE, "f");
  const saved = structuredClone(device.save());
  device.restore(saved);
  const [, answer] = driver.add(queue, [request(Opcode.getattr, node, pack(0, 0, 0n)), 120]);
  driver.notify(queue);
  const bytes = driver.bytes(answer, 16);
  assert.equal(new DataView(bytes.buffer, bytes.byteOffset).getInt32(4, true), 0);
  assert.throws(() => new Share(new LocalService(files), { tag: "y" }).restore(saved), { code: "state-mismatch" });
});

test("fuzz: stays within queues and buffers whatever a guest does", (t) => {
  const { files, at } = sharedFolder(t, { mostNodes: 100, mostDescriptors: 8 });
  mkdirSync(at("d"));
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  const opcodes = Object.values(Opcode);
  const plausible = (): Uint8Array => {
    if (random.below(8) === 0) return init;
    const args = random.pick([pack("d"), pack(0, 0, 0n, "x"), pack(0o100644, 0, 0, 0, "f"), random.bytes(64)]);
    return request(random.pick(opcodes), random.below(6), args);
  };
  const device = new Share(new LocalService(files), { tag: "x" });
  fuzzDevice(device, random, { rounds: 3000, plausible, host: () => device.work() });
});
