import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestMemory, RAM_BASE } from "../memory.ts";
import { BootError } from "./boot-error.ts";
import { loadElf } from "./elf.ts";
import { sampleElf } from "./sample-files.ts";

const MIB = 1024 * 1024;
const memory = () => new GuestMemory(4 * MIB, 1);
const code = Uint8Array.of(1, 2, 3, 4);
const refuses = (file: Uint8Array, errorCode: string) =>
  assert.throws(
    () => loadElf(memory(), file, "firmware"),
    (error) => error instanceof BootError && error.code === errorCode,
  );

test("loadElf: copies segments to their physical addresses and clears what lies behind them", () => {
  const ram = memory();
  ram.bytes.fill(0xff, ram.ramOffset);
  const second = { physical: RAM_BASE + 0x1000, virtual: 0x4000_0000, bytes: code, memorySize: 16 };
  const file = sampleElf(0x4000_0002, [{ physical: RAM_BASE, bytes: code }, second]);
  const program = loadElf(ram, file, "firmware");
  assert.deepEqual(program, { entry: RAM_BASE + 0x1002, start: RAM_BASE, end: RAM_BASE + 0x1010 });
  assert.deepEqual([...ram.readable(RAM_BASE, 5)!], [1, 2, 3, 4, 0xff]);
  assert.deepEqual([...ram.readable(RAM_BASE + 0x1000, 17)!], [1, 2, 3, 4, ...new Array(12).fill(0), 0xff]);
});

test("loadElf: a movable file linked for address 0 goes to the start of RAM", () => {
  const ram = memory();
  const program = loadElf(ram, sampleElf(0x10, [{ physical: 0, bytes: code, memorySize: 0x20 }], 3), "firmware");
  assert.deepEqual(program, { entry: RAM_BASE + 0x10, start: RAM_BASE, end: RAM_BASE + 0x20 });
});

test("loadElf: tells the host's memory about every write", () => {
  const ram = memory();
  const writes: number[][] = [];
  ram.onWrite = (address, length) => writes.push([address, length]);
  loadElf(ram, sampleElf(RAM_BASE, [{ physical: RAM_BASE, bytes: code, memorySize: 64 }]), "firmware");
  assert.deepEqual(writes, [[RAM_BASE, 64]]);
});

test("loadElf: refuses another processor, another class and another byte order", () => {
  const good = sampleElf(RAM_BASE, [{ physical: RAM_BASE, bytes: code }]);
  for (const [at, value] of [
    [18, 62],
    [4, 1],
    [5, 2],
  ]) {
    const file = good.slice();
    file[at] = value;
    refuses(file, "not-riscv");
  }
});

test("loadElf: refuses a file cut short at any byte", () => {
  const good = sampleElf(RAM_BASE, [{ physical: RAM_BASE, bytes: code }]);
  for (let length = 0; length < good.length; length++) refuses(good.subarray(0, length), "truncated");
});

test("loadElf: refuses addresses outside RAM and names the memory it would take", () => {
  refuses(sampleElf(0x1000, [{ physical: 0x1000, bytes: code }]), "out-of-place");
  refuses(sampleElf(0x1000, [{ physical: 2 ** 52, bytes: code }]), "out-of-place");
  refuses(sampleElf(RAM_BASE, [{ physical: RAM_BASE, bytes: code, memorySize: 5 * MIB }]), "memory-too-small");
  refuses(sampleElf(RAM_BASE + 9, [{ physical: RAM_BASE, bytes: code }]), "truncated");
  refuses(sampleElf(RAM_BASE, []), "truncated");
});

test("loadElf: survives every flipped byte of the headers with a BootError or a program in RAM", () => {
  const good = sampleElf(RAM_BASE, [{ physical: RAM_BASE, bytes: code }]);
  const ram = memory();
  for (let at = 0; at < 64 + 56; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const file = good.slice();
      file[at] ^= mask;
      try {
        const { start, end } = loadElf(ram, file, "firmware");
        assert.ok(start >= RAM_BASE && end <= RAM_BASE + ram.ramSize);
      } catch (error) {
        assert.ok(error instanceof BootError, String(error));
      }
    }
  }
});
