import assert from "node:assert/strict";
import { test } from "node:test";
import { Rom } from "./rom.ts";

test("Rom: holds what it was filled with, and zeros behind it; writes change nothing", () => {
  const rom = new Rom();
  rom.fill(Uint8Array.of(1, 2, 3, 4, 5));
  rom.write();
  assert.equal(rom.read(0, 4), 0x0403_0201);
  assert.equal(rom.read(4, 4), 5);
  assert.equal(rom.read(3, 2), 0x0504);
  const other = new Rom();
  other.restore(rom.save());
  assert.equal(other.read(0, 4), 0x0403_0201);
});
