import assert from "node:assert/strict";
import { test } from "node:test";
import { BARE, BareGuest } from "../testing/guest.ts";
import { KernelMemory } from "./kernel-memory.ts";
import { unwind } from "./unwind.ts";

/** Functions of 0x100 bytes from 0x1000 on, by letters. */
const functionAt = (address: bigint): string | undefined =>
  address >= 0x1000n && address < 0x1a00n ? String.fromCharCode(97 + Number((address - 0x1000n) >> 8n)) : undefined;
const inside = (letter: string): bigint => 0x1010n + (BigInt(letter.charCodeAt(0) - 97) << 8n);

/** A stack on which `c` was called by `b`, and that by `a`. */
function stack() {
  const guest = new BareGuest();
  const frames = [0x8100, 0x8200, 0x8300].map((offset) => guest.at(offset));
  guest.put(0x8100 - 16, frames[1], inside("b"));
  guest.put(0x8200 - 16, frames[2], inside("a"));
  guest.put(0x8300 - 16, 0n, 0n);
  const memory = new KernelMemory(guest.view, BARE);
  const callers = (pc: string, link: string, frame: bigint) =>
    unwind(memory, { pc: inside(pc), link: inside(link), frame }, functionAt)
      .map((address) => functionAt(address))
      .join("");
  return { guest, frames, callers };
}

test("unwind: follows frame pointers", () => {
  const { frames, callers } = stack();
  assert.equal(callers("c", "c", frames[0]), "ba");
});

test("unwind: takes the caller from ra where a function has just been entered", () => {
  const { frames, callers } = stack();
  assert.equal(callers("d", "c", frames[0]), "cba");
});

test("unwind: takes no caller twice where ra is the frame's own", () => {
  const { frames, callers } = stack();
  assert.equal(callers("c", "b", frames[0]), "ba");
});

test("unwind: ends where frames lead elsewhere, back or round", () => {
  const { guest, frames, callers } = stack();
  assert.equal(callers("c", "c", 0n), "");
  assert.equal(callers("c", "c", 12345n), "");
  guest.put(0x8200 - 16, frames[0], inside("a"));
  assert.equal(callers("c", "c", frames[0]), "ba");
  guest.put(0x8100 - 8, 0x77n);
  assert.equal(callers("c", "c", frames[0]), "");
});
