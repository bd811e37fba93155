import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { BootError, type BootErrorCode } from "./boot-error.ts";
import { readImageHeader } from "./image.ts";
import { sampleElf, sampleImage } from "./sample-files.ts";

const withCode = (code: BootErrorCode) => (error: unknown) => error instanceof BootError && error.code === code;

test("readImageHeader: gives text offset and size", () => {
  assert.deepEqual(readImageHeader(sampleImage([], 0x50_0000)), { textOffset: 0x20_0000, size: 0x50_0000 });
});

test("readImageHeader: a file longer than its header says counts in full", () => {
  assert.equal(readImageHeader(sampleImage([1, 2, 3], 1)).size, 76);
});

test("readImageHeader: accepts the EFI stub's first bytes", () => {
  const image = sampleImage();
  image.set([0x4d, 0x5a]);
  assert.equal(readImageHeader(image).textOffset, 0x20_0000);
});

test("readImageHeader: names what a wrong file is", () => {
  assert.throws(() => readImageHeader(new Uint8Array(0)), /only 0 bytes long/);
  assert.throws(() => readImageHeader(new Uint8Array(4096)), withCode("not-an-image"));
  assert.throws(() => readImageHeader(sampleElf(0, [])), /an ELF file/);
  const arm = new Uint8Array(4096);
  arm.set(new TextEncoder().encode("ARM\x64"), 56);
  assert.throws(() => readImageHeader(arm), /64-bit ARM/);
  const x86 = new Uint8Array(4096);
  x86.set(new TextEncoder().encode("HdrS"), 0x202);
  assert.throws(() => readImageHeader(x86), /x86/);
  assert.throws(() => readImageHeader(gzipSync(sampleImage())), withCode("compressed-image"));
});

test("readImageHeader: refuses impossible offsets, sizes and byte orders", () => {
  const patched = (at: number, value: bigint) => {
    const image = sampleImage();
    new DataView(image.buffer).setBigUint64(at, value, true);
    return image;
  };
  assert.throws(() => readImageHeader(patched(8, 0x20_0001n)), withCode("not-an-image"));
  assert.throws(() => readImageHeader(patched(8, 1n << 60n)), withCode("not-an-image"));
  assert.throws(() => readImageHeader(patched(16, 1n << 60n)), withCode("not-an-image"));
  assert.throws(() => readImageHeader(patched(24, 1n)), withCode("not-riscv"));
});
