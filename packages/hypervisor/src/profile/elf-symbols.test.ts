import assert from "node:assert/strict";
import { test } from "node:test";
import { elfSymbols, type ReadAt } from "./elf-symbols.ts";
import { LINKED_AT, type WrittenFunction, writeElf } from "./testing/elf-writer.ts";
import { damaged, randomOf } from "./testing/random.ts";

const functions: WrittenFunction[] = [
  { name: "main", address: LINKED_AT + 0x100, size: 0x20 },
  { name: "$x", address: LINKED_AT + 0x100, size: 0, type: 0 },
  { name: "__memcpy", address: LINKED_AT + 0x140, size: 0x40 },
  { name: "memcpy", address: LINKED_AT + 0x140, size: 0x40 },
  { name: "table", address: LINKED_AT + 0x200, size: 8, type: 1 },
  { name: "loop", address: LINKED_AT + 0x300, size: 0x10, type: 0 },
  { name: "printf", address: 0, size: 0, section: 0 },
];

/** A file of which pages from `from` to `to` cannot be read. */
const reader =
  (file: Uint8Array, from = 0, to = 0): ReadAt =>
  (offset, length) => {
    if (offset + length > file.length) return undefined;
    const missing = Math.floor(offset / 4096) < to && Math.floor((offset + length - 1) / 4096) >= from;
    return missing && from < to ? undefined : file.slice(offset, offset + length);
  };

const nameAt = (file: ReturnType<typeof elfSymbols>, offset: number): string | undefined => {
  const address = file?.addressOf(offset);
  return address === undefined ? undefined : file?.table.find(address)?.name;
};

for (const tables of ["sections", "dynamic"] as const) {
  test(`elfSymbols: names functions by ${tables}`, () => {
    const found = elfSymbols(reader(writeElf(functions, tables, 0x400)));
    const names = [0x100, 0x11f, 0x120, 0x150, 0x200, 0x308, 0x310].map((offset) => nameAt(found, offset));
    assert.deepEqual(names, ["main", "main", undefined, "memcpy", undefined, "loop", undefined]);
    assert.equal(found?.incomplete, false);
    assert.equal(found?.addressOf(1 << 20), undefined);
  });
}

test("elfSymbols: takes what can be read of a file, and says that some is missing", () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({ name: `f${i}`, address: LINKED_AT + 16 * i, size: 16 }));
  const found = elfSymbols(reader(writeElf(many, "dynamic"), 2, 3));
  assert.equal(found?.incomplete, true);
  assert.equal(nameAt(found, 16), "f1");
  assert.equal(nameAt(found, 16 * 999), "f999");
  assert.ok((found?.table.size ?? 0) < 900);
});

test("elfSymbols: refuses what is no ELF or cannot be read", () => {
  assert.equal(
    elfSymbols(() => undefined),
    undefined,
  );
  assert.equal(elfSymbols(reader(new Uint8Array(4096))), undefined);
});

test("elfSymbols: never throws, whatever is damaged", () => {
  const random = randomOf("elfSymbols");
  for (const tables of ["sections", "dynamic"] as const) {
    const whole = writeElf(functions, tables);
    for (let i = 0; i < 1500; i++) {
      const file = damaged(whole, random);
      nameAt(elfSymbols(reader(random(4) === 0 ? file.subarray(0, random(file.length)) : file)), random(1024));
    }
  }
});
