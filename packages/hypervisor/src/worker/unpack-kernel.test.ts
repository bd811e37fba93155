import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { BootError } from "@bulkhead/machine";
import { tiny, tinyImage } from "../testing/tiny-guest.ts";
import { unpackKernel } from "./unpack-kernel-node.ts";

const withCode = (code: string) => (error: unknown) => error instanceof BootError && error.code === code;

test("unpackKernel: unpacks gzip and leaves anything else alone", () => {
  const image = new Uint8Array(tinyImage(tiny.loop));
  assert.equal(unpackKernel(image, 2 ** 20), image);
  assert.deepEqual(new Uint8Array(unpackKernel(new Uint8Array(gzipSync(image)), 2 ** 20)), image);
});

test("unpackKernel: refuses a damaged file and one that does not fit", () => {
  const packed = new Uint8Array(gzipSync(new Uint8Array(1024 * 1024)));
  assert.throws(() => unpackKernel(packed.slice(0, packed.length - 9), 2 ** 30), withCode("truncated"));
  assert.throws(() => unpackKernel(packed, 1000), withCode("memory-too-small"));
});
