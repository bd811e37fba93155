import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { BufferExchange, FuseClient, pack } from "../../testing/fuse-client.ts";
import { seededRandom } from "../../testing/random.ts";
import { errno, sharedFolder } from "../../testing/shared-folder-node.ts";
import { Errno } from "../errno.ts";
import { InitFlag, Opcode, ROOT_NODE } from "./protocol.ts";
import { FuseSession } from "./session.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

test("init: settles on a version, limits and what both can do", (t) => {
  const { client } = sharedFolder(t);
  const answer = client.init();
  assert.deepEqual([answer.getUint32(0, true), answer.getUint32(4, true)], [7, 38]);
  const flags = answer.getUint32(12, true);
  assert.notEqual(flags & InitFlag.autoInvalidate, 0);
  assert.equal(flags & InitFlag.writebackCache, 0, "the host may change files too");
  assert.equal(answer.getUint32(20, true), 1 << 20);
  assert.equal(client.init(InitFlag.maxPages).getUint32(12, true), InitFlag.maxPages);
});

test("init: a guest that is alone may keep writes to itself", (t) => {
  const { files } = sharedFolder(t);
  const client = new FuseClient(new FuseSession(files, "always"));
  assert.notEqual(client.init().getUint32(12, true) & InitFlag.writebackCache, 0);
});

test("init: refuses what is too old, and asks what is too new to come again", (t) => {
  const { client } = sharedFolder(t);
  const ask = (major: number, minor: number) =>
    client.request(Opcode.init, 0, pack(major, minor, 0, 0, new Uint8Array(48)));
  assert.throws(() => ask(6, 50), errno(Errno.EOPNOTSUPP));
  assert.throws(() => ask(7, 8), errno(Errno.EOPNOTSUPP));
  assert.equal(ask(8, 0).getUint32(0, true), 7);
});

test("serve: nothing before INIT, and everything is forgotten by DESTROY", (t) => {
  const { files, at } = sharedFolder(t);
  writeFileSync(at("f"), "");
  const client = new FuseClient(new FuseSession(files));
  assert.throws(() => client.lookup(ROOT_NODE, "f"), errno(Errno.EIO));
  assert.throws(() => client.read(ROOT_NODE, 0, 1), errno(Errno.EIO));
  client.init();
  const { node } = client.lookup(ROOT_NODE, "f");
  client.request(Opcode.destroy, 0, new Uint8Array(0));
  assert.throws(() => client.attributes(node), errno(Errno.EIO));
  client.init();
  assert.throws(() => client.attributes(node), errno(Errno.ESTALE));
});

test("serve: opcodes that are not known, or done without, are refused for good", (t) => {
  const { client } = sharedFolder(t);
  for (const opcode of [Opcode.open, Opcode.create, Opcode.flush, Opcode.fallocate, Opcode.lseek, 7, 31, 99, 4096]) {
    assert.throws(() => client.request(opcode, ROOT_NODE, new Uint8Array(64)), errno(Errno.ENOSYS), String(opcode));
  }
});

test("serve: requests that are too short, too long, or lie about their length", (t) => {
  const { client, at } = sharedFolder(t);
  const { session } = client;
  const { node } = client.makeFile(ROOT_NODE, "f");
  assert.match(session.serve(new BufferExchange(new Uint8Array(39), 100)) ?? "", /lacks its header/);
  const header = (declared: number) => pack(declared, Opcode.getattr, 1n, 1n, 0, 0, 0, 0);
  assert.match(session.serve(new BufferExchange(header(40), 15)) ?? "", /no room/);
  const lying = new BufferExchange(header(56), 100);
  assert.equal(session.serve(lying), undefined);
  assert.equal(new DataView(lying.answer.buffer).getInt32(4, true), -Errno.EINVAL);
  assert.throws(() => client.request(Opcode.getattr, node, new Uint8Array(16), 50), errno(Errno.EINVAL));
  assert.throws(() => client.request(Opcode.lookup, ROOT_NODE, Uint8Array.of(97, 98)), errno(Errno.EINVAL));
  assert.throws(() => client.request(Opcode.lookup, ROOT_NODE, new Uint8Array(80_000)), errno(Errno.E2BIG));
  assert.throws(() => client.request(Opcode.setattr, node, new Uint8Array(80)), errno(Errno.EINVAL));
  assert.throws(() => client.request(Opcode.write, node, new Uint8Array(20)), errno(Errno.EINVAL));
  const body = pack(0n, 0n, 5000, 0, 0n, 0, 0, new Uint8Array(100));
  assert.throws(() => client.request(Opcode.write, node, body), errno(Errno.EINVAL));
  assert.throws(() => client.write(node, 2 ** 60, "x"), errno(Errno.EFBIG));
  assert.throws(() => client.read(node, 2 ** 60, 1), errno(Errno.EFBIG));
  assert.throws(() => client.change(node, { size: 2 ** 60 }), errno(Errno.EFBIG));
  assert.throws(() => client.attributes(12345), errno(Errno.ESTALE));
  assert.throws(() => client.request(Opcode.readdir, ROOT_NODE, pack(77n, 0n, 4096, 0, 0n, 0, 0)), errno(Errno.EBADF));
  assert.equal(readFileSync(at("f")).length, 0);
});

test("forget: many at once, more than there are, and nonsense", (t) => {
  const { client, files } = sharedFolder(t);
  const nodes = Array.from({ length: 100 }, (_, i) => client.makeFile(ROOT_NODE, `f${i}`).node);
  const pairs = nodes.map((node) => pack(BigInt(node), 1n));
  const forget = (body: Uint8Array) => {
    const bytes = pack(40 + body.length, Opcode.batchForget, 1n, 0n, 0, 0, 0, 0, body);
    assert.equal(client.session.serve(new BufferExchange(bytes, 0)), undefined);
  };
  forget(pack(50, 0, ...pairs.slice(0, 50)));
  assert.equal(files.save().length, 51);
  forget(pack(0xffff_ffff, 0, ...pairs.slice(50), pack(1n, 2n ** 64n - 1n), pack(999n, 1n)));
  assert.equal(files.save().length, 1);
  forget(new Uint8Array(3));
  client.lookup(ROOT_NODE, "f1");
});

test("readdir: offsets stay what they are while the directory changes, and begin anew at 0", (t) => {
  const { client } = sharedFolder(t);
  for (let i = 0; i < 100; i++) client.makeFile(ROOT_NODE, `f${String(i).padStart(3, "0")}`);
  const handle = client.request(Opcode.opendir, ROOT_NODE, pack(0, 0)).getBigUint64(0, true);
  const page = (offset: number): number =>
    client.request(Opcode.readdir, ROOT_NODE, pack(handle, BigInt(offset), 320, 0, 0n, 0, 0), 320).byteLength;
  assert.equal(page(0), 320);
  for (let i = 0; i < 100; i++) client.unlink(ROOT_NODE, `f${String(i).padStart(3, "0")}`);
  assert.equal(page(98), 4 * 32);
  assert.equal(page(0), 2 * 32);
  assert.equal(page(2 ** 40), 0);
  assert.equal(page(1), 32);
});

test("lookup: only a guest that is alone remembers what there is not", (t) => {
  const { files } = sharedFolder(t);
  const client = new FuseClient(new FuseSession(files, "always"));
  client.init();
  const { node } = client.lookup(ROOT_NODE, "absent");
  assert.equal(node, 0);
});

/** Requests as a guest gone mad would make them, often near to what makes sense. */
test("fuzz: answers whatever is asked, and stays in its folder", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  const { client, at, path } = sharedFolder(t, { mostNodes: 64, mostDescriptors: 8 });
  const names = ["a", "b", "c", "d", "..", ".", "", "a/b", "\xff", "x".repeat(255), "x".repeat(300), ".bulkhead-share"];
  const opcodes = Object.values(Opcode).filter((opcode) => opcode !== Opcode.destroy);
  const part = (): number | bigint | string | Uint8Array =>
    random.pick<() => number | bigint | string | Uint8Array>([
      () => random.below(16),
      () => random.pick([0, 0o100644, 0o40755, 0o120777, 0o10644, 0xffff_ffff, 4096, 1 << 20]),
      () => BigInt(random.below(70)),
      () => random.pick([0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 4096n]),
      () => random.pick(names),
      () => random.bytes(random.below(100)),
    ])();
  for (let round = 0; round < 20_000; round++) {
    const opcode = random.below(20) === 0 ? random.below(70) : random.pick(opcodes);
    const body = pack(...Array.from({ length: random.below(12) }, part), random.pick(names), random.pick(names));
    const node = BigInt(random.pick([1, 1, random.below(70), 2 ** 40]));
    const declared = 40 + body.length + (random.below(50) === 0 ? random.below(9) - 4 : 0);
    const bytes = pack(declared, opcode, BigInt(round), node, random.below(3), random.below(3), 1, 0, body);
    const room = random.pick([4096, 4096, 200, 16, 17, random.below(300)]);
    const exchange = new BufferExchange(bytes, room, 1 + random.below(200));
    const wrong = client.session.serve(exchange);
    if (wrong !== undefined) assert.ok(room < 16, wrong);
    const answered = new DataView(exchange.answer.buffer);
    if (wrong === undefined && room >= 16) assert.ok(answered.getUint32(0, true) <= room);
    if (random.below(200) === 0) client.init();
  }
  client.init();
  client.makeFile(ROOT_NODE, "alive");
  assert.ok(existsSync(at("alive")));
  assert.ok(!existsSync(`${path}x`));
});
