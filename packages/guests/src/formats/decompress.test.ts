import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { collect } from "./bytes.ts";
import { type Compression, compressionOf, decompress } from "./decompress.ts";
import { FormatError } from "./format-error.ts";

const plain = new TextEncoder().encode("hello xz\n");
const packed: Readonly<Record<Exclude<Compression, "none">, Uint8Array>> = {
  xz: Buffer.from(
    "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jMAQAIaGVsbG8geHoKAAAAAMFJOvpjUhRaAAEhCWwYxdUftvN9AQAAAAAEWVo=",
    "base64",
  ),
  gz: gzipSync(plain),
  zst: zstdCompressSync(plain),
};

async function* cut(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

test("decompress: gives back the plain bytes of every compression, however the stream is cut", async () => {
  for (const [compression, bytes] of Object.entries(packed)) {
    for (const length of [1, 5, 1000]) {
      const found = await collect(decompress(cut(bytes, length), compression as Compression));
      assert.deepEqual(found, new Uint8Array(plain), compression);
    }
  }
  assert.deepEqual(await collect(decompress(cut(plain, 3), "none")), new Uint8Array(plain));
});

test("decompress: refuses data that ends early or is broken", async () => {
  for (const [compression, bytes] of Object.entries(packed)) {
    const read = (part: Uint8Array) => collect(decompress(cut(part, 16), compression as Compression));
    await assert.rejects(read(bytes.subarray(0, bytes.length - 9)), FormatError, compression);
    await assert.rejects(read(bytes.map((byte) => byte ^ 0xff)), FormatError, compression);
  }
  await assert.rejects(collect(decompress(cut(new Uint8Array(0), 1), "xz")), FormatError);
});

test("decompress: leaves the xz decompressor free when a reader stops early", async () => {
  for await (const _ of decompress(cut(packed.xz, 100), "xz")) break;
  assert.equal((await collect(decompress(cut(packed.xz, 100), "xz"))).length, plain.length);
});

test("decompress: serves several xz streams at once", async () => {
  const all = await Promise.all([1, 2, 3, 4].map(() => collect(decompress(cut(packed.xz, 4), "xz"))));
  for (const each of all) assert.equal(each.length, plain.length);
});

test("compressionOf: knows suffixes", () => {
  assert.deepEqual(["a.xz", "a.tar.gz", "a.zst", "a.tar"].map(compressionOf), ["xz", "gz", "zst", "none"]);
});
