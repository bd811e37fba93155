import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { seededRandom } from "../../testing/random.ts";
import { Errno } from "../errno.ts";
import { readRecord, writeRecord } from "./metadata.ts";
import { MetadataStore } from "./metadata-store-node.ts";
import { RESERVED } from "./names-node.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const object = (ino: number) => ({ dev: 1n, ino: BigInt(ino), birthtimeNs: 10n ** 18n + BigInt(ino) });

function scratch(t: TestContext): { folder: string; journal: string } {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-store-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return { folder, journal: join(folder, RESERVED) };
}

test("record: is read as it was written, whatever is in it", () => {
  const metadata = {
    uid: 1000,
    mode: 0o104755,
    hostMode: 0o100755,
    mtime: { exactNs: 2n ** 60n + 1n, hostNs: -5n },
    xattrs: { "user.\xff\n": '\0\x01\n"\\\xfe', "user.toString": "x" },
  };
  const line = writeRecord({ key: "5:6", metadata });
  assert.equal(line.indexOf("\n"), line.length - 1);
  const found = readRecord(line.slice(0, -1));
  assert.deepEqual(JSON.parse(JSON.stringify(found?.metadata?.xattrs)), metadata.xattrs);
  assert.deepEqual([found?.metadata?.mtime, found?.metadata?.mode], [metadata.mtime, metadata.mode]);
  for (let at = 0; at < line.length - 1; at++) {
    const damaged = line.slice(0, at) + String.fromCharCode(line.charCodeAt(at) ^ 1) + line.slice(at + 1, -1);
    assert.equal(readRecord(damaged), undefined);
  }
});

test("store: makes no file before there is something to say", (t) => {
  const { folder } = scratch(t);
  const store = new MetadataStore(folder, false);
  store.set(object(1), undefined);
  store.set(object(1), {});
  assert.equal(store.get(object(1)), undefined);
  store.sync();
  assert.deepEqual(readdirSync(folder), []);
});

test("store: a journal that is cut off anywhere loses what was behind, and nothing else", (t) => {
  const { folder, journal } = scratch(t);
  const store = new MetadataStore(folder, false);
  for (let i = 0; i < 10; i++) store.set(object(i), { uid: i });
  const whole = readFileSync(journal);
  store.close();
  for (let length = whole.length; length >= 0; length -= 7) {
    truncateSync(journal, length);
    const lines = whole.subarray(0, length).filter((byte) => byte === 0x0a).length;
    const cut = new MetadataStore(folder, false);
    assert.equal(cut.size, lines);
    cut.set(object(100), { uid: 100 });
    cut.close();
    const again = new MetadataStore(folder, false);
    assert.equal(again.get(object(100))?.uid, 100);
    again.close();
    writeFileSync(journal, whole);
  }
});

test("store: two processes that use a folder see what the other one sets", (t) => {
  const { folder } = scratch(t);
  let nowMs = 0;
  const open = (): MetadataStore => new MetadataStore(folder, false, () => nowMs);
  const [a, b] = [open(), open()];
  a.set(object(1), { uid: 1 });
  b.set(object(2), { uid: 2 });
  a.set(object(2), { uid: 3 });
  nowMs += 5000;
  for (const store of [a, b]) assert.deepEqual([store.get(object(1))?.uid, store.get(object(2))?.uid], [1, 3]);
  rmSync(join(folder, RESERVED));
  nowMs += 5000;
  assert.equal(a.get(object(1)), undefined);
  b.set(object(4), { uid: 4 });
  nowMs += 5000;
  assert.equal(a.get(object(4))?.uid, 4);
  a.close();
  b.close();
});

test("store: is written anew when most of it no longer counts, also under others", (t) => {
  const { folder, journal } = scratch(t);
  let nowMs = 0;
  const store = new MetadataStore(folder, false, () => nowMs);
  const other = new MetadataStore(folder, false, () => nowMs);
  store.set(object(1), { uid: 1 });
  nowMs += 5000;
  assert.equal(other.get(object(1))?.uid, 1);
  const xattrs = { "user.x": "y".repeat(60_000) };
  for (let i = 0; i < 60; i++) store.set(object(2), { uid: i, xattrs });
  assert.ok(statSync(journal).size < 2_000_000, "the journal has not been shortened");
  assert.deepEqual(readdirSync(folder), [RESERVED]);
  store.set(object(3), { uid: 3 });
  nowMs += 5000;
  assert.deepEqual(
    [1, 2, 3].map((i) => other.get(object(i))?.uid),
    [1, 59, 3],
  );
  store.close();
  other.close();
});

test("store: has a bound", (t) => {
  const { folder } = scratch(t);
  const store = new MetadataStore(folder, false, undefined, 1000);
  const fill = (): void => {
    for (let i = 0; i < 100; i++) store.set(object(i), { uid: i });
  };
  assert.throws(fill, { errno: Errno.ENOSPC });
  const { size } = store;
  store.set(object(0), undefined);
  store.set(object(200), { uid: 1 });
  assert.equal(store.size, size);
  store.close();
});

test("store: a read-only one reads and refuses to write", (t) => {
  const { folder } = scratch(t);
  const store = new MetadataStore(folder, false);
  store.set(object(1), { uid: 1 });
  store.close();
  const sealed = new MetadataStore(folder, true);
  assert.equal(sealed.get(object(1))?.uid, 1);
  assert.throws(() => sealed.set(object(1), { uid: 2 }), { errno: Errno.EROFS });
  sealed.close();
});

test("store: survives any damage to its journal", (t) => {
  const { folder, journal } = scratch(t);
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  const store = new MetadataStore(folder, false);
  for (let i = 0; i < 30; i++) store.set(object(i), { uid: i, xattrs: { "user.a": `${i}` } });
  store.close();
  const whole = readFileSync(journal);
  for (let round = 0; round < 100; round++) {
    const damaged = Buffer.from(whole);
    for (let i = random.below(20); i >= 0; i--) damaged[random.below(damaged.length)] = random.below(256);
    writeFileSync(journal, damaged);
    if (random.below(2) === 0) appendFileSync(journal, random.bytes(random.below(200)));
    const again = new MetadataStore(folder, false);
    for (let i = 0; i < 30; i++) assert.ok([undefined, i].includes(again.get(object(i))?.uid));
    again.set(object(5), { uid: 5 });
    again.close();
  }
});
