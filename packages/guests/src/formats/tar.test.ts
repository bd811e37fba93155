import assert from "node:assert/strict";
import { test } from "node:test";
import { concat } from "./bytes.ts";
import { FormatError } from "./format-error.ts";
import { readTar, tarEnd, tarHeader, tarPadding, writeTar } from "./tar.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function* chunks(whole: Uint8Array, length = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += length) yield whole.subarray(at, at + length);
}

async function entriesOf(archive: Uint8Array, chunk?: number) {
  const entries = [];
  for await (const { content, ...header } of readTar(chunks(archive, chunk))) {
    entries.push({ ...header, text: new TextDecoder().decode(await content()) });
  }
  return entries;
}

test("readTar: gives back names, types, owners, modes, devices and contents, however the stream is cut", async () => {
  const long = `${"directory/".repeat(12)}file`;
  const archive = writeTar([
    { name: "./", type: "directory", mode: 0o1777 },
    { name: long, mode: 0o4755, uid: 70000, gid: 5, modified: 1700000000, content: bytes("content") },
    { name: "link", type: "link", target: long },
    { name: "hard", type: "hardlink", target: "link" },
    { name: "dev/null", type: "character", major: 1, minor: 3 },
    { name: "ü", content: bytes("x".repeat(512)) },
  ]);
  for (const chunk of [1, 7, 512, 1 << 16]) {
    const [root, file, link, hard, device, umlaut] = await entriesOf(archive, chunk);
    assert.equal(root?.mode, 0o1777);
    assert.deepEqual(
      [file?.name, file?.uid, file?.mode, file?.modified, file?.text],
      [long, 70000, 0o4755, 1700000000, "content"],
    );
    assert.deepEqual([link?.type, link?.target, hard?.type, hard?.target], ["link", long, "hardlink", "link"]);
    assert.deepEqual([device?.type, device?.major, device?.minor], ["character", 1, 3]);
    assert.deepEqual([umlaut?.name, umlaut?.text.length], ["ü", 512]);
  }
});

test("readTar: passes over contents that nobody reads", async () => {
  const archive = writeTar([
    { name: "a", content: bytes("1".repeat(3000)) },
    { name: "b", content: bytes("2") },
  ]);
  const names = [];
  for await (const { name } of readTar(chunks(archive))) names.push(name);
  assert.deepEqual(names, ["a", "b"]);
});

test("readTar: takes pax records for path, size and owner", async () => {
  const record = (key: string, value: string) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + 1;
    while (`${length}${rest}`.length !== length) length++;
    return `${length}${rest}`;
  };
  const pax = bytes(record("path", "renamed") + record("uid", "123456") + record("mtime", "5.25"));
  const header = tarHeader({ name: "pax", size: pax.length });
  header[156] = "x".charCodeAt(0);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(bytes(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  const archive = concat([header, pax, tarPadding(pax.length), tarHeader({ name: "plain" }), tarEnd]);
  const [entry] = await entriesOf(archive);
  assert.deepEqual([entry?.name, entry?.uid, entry?.modified], ["renamed", 123456, 5]);
});

test("readTar: writes and reads sizes beyond the octal field", async () => {
  const header = tarHeader({ name: "huge", size: 2 ** 40 });
  await assert.rejects(async () => {
    for await (const { size } of readTar(chunks(header))) {
      assert.equal(size, 2 ** 40);
    }
  }, FormatError);
});

test("readTar: refuses a wrong checksum and an archive that ends early", async () => {
  const archive = writeTar([{ name: "a", content: bytes("1".repeat(600)) }]);
  const damaged = archive.slice();
  damaged[0] = 0x62;
  await assert.rejects(entriesOf(damaged), /checksum/);
  for (const length of [100, 700, 1024, 1536])
    await assert.rejects(entriesOf(archive.subarray(0, length)), FormatError);
});

test("readTar: survives random damage with a FormatError at most", async () => {
  const archive = writeTar([
    { name: "x".repeat(200), content: bytes("content") },
    { name: "b", type: "link", target: "y".repeat(150) },
  ]);
  const seed = (Math.random() * 2 ** 32) >>> 0;
  let state = seed || 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 300; round++) {
    const damaged = archive.slice();
    const at = 512 * random(archive.length / 512);
    for (let flip = 0; flip < 2; flip++) damaged[at + random(512)] = random(256);
    // With the sum made right again the fields themselves are reached.
    damaged.fill(0x20, at + 148, at + 156);
    const sum = damaged.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    damaged.set(bytes(`${sum.toString(8).padStart(6, "0")}\0 `), at + 148);
    try {
      await entriesOf(damaged);
    } catch (error) {
      assert.ok(error instanceof FormatError, `seed ${seed}: ${error}`);
    }
  }
});
