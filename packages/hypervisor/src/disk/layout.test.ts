import assert from "node:assert/strict";
import { test } from "node:test";
import { inspectLayout, LAYOUT_BYTES } from "./layout.ts";

const head = (write: (view: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(LAYOUT_BYTES);
  write(new DataView(bytes.buffer));
  return bytes;
};

test("inspectLayout: claims nothing for an empty disk or a short file", () => {
  assert.deepEqual(inspectLayout(new Uint8Array(LAYOUT_BYTES)), undefined);
  assert.deepEqual(inspectLayout(new Uint8Array(3)), undefined);
});

test("inspectLayout: reads the size of an ext4 file system, 64-bit block counts included", () => {
  const bytes = head((view) => {
    view.setUint16(1024 + 56, 0xef53, true);
    view.setUint32(1024 + 4, 1000, true);
    view.setUint32(1024 + 24, 2, true);
    view.setUint32(1024 + 96, 0x80, true);
    view.setUint32(1024 + 0x150, 1, true);
  });
  assert.equal(inspectLayout(bytes)?.bytes, (2 ** 32 + 1000) * 4096);
});

test("inspectLayout: reads the size of a GUID partition table before the protective boot record", () => {
  const bytes = head((view) => {
    view.setUint16(510, 0x55aa);
    view.setUint8(450, 0xee);
    view.setUint32(454 + 4, 0xffffffff, true);
    new Uint8Array(view.buffer).set(new TextEncoder().encode("EFI PART"), 512);
    view.setBigUint64(512 + 32, 2047n, true);
  });
  assert.equal(inspectLayout(bytes)?.bytes, 2048 * 512);
});

test("inspectLayout: reads the end of the last partition of a boot record", () => {
  const bytes = head((view) => {
    view.setUint16(510, 0x55aa);
    view.setUint8(462 + 4, 0x83);
    view.setUint32(462 + 8, 2048, true);
    view.setUint32(462 + 12, 8192, true);
  });
  assert.equal(inspectLayout(bytes)?.bytes, (2048 + 8192) * 512);
});
