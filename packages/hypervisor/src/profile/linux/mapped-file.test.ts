import assert from "node:assert/strict";
import { test } from "node:test";
import { LINKED_AT, writeElf } from "../testing/elf-writer.ts";
import { BARE, BareGuest } from "../testing/guest.ts";
import { KernelMemory } from "./kernel-memory.ts";
import { MappedFile } from "./mapped-file.ts";
import type { Structures } from "./structures.ts";

const layout = {
  inodeCache: 0n,
  inodeSize: 8n,
  cachePages: 16n,
  nodeShift: 0n,
  nodeSlots: 40n,
  folioIndex: 32n,
  pageBytes: 64n,
} as Structures;

const [INODE, CACHE, NODE, PAGES] = [0x1000, 0x1100, 0x2000, 0x4000];
const RAM_PAGE = 0x8_0000n;
/** Physical page, from the start of RAM, of each page of the file. */
const PLACES = [32, 40, 41, 33];

/**
 * A file of four pages in the page cache: pages 1 and 2 are one folio, the others are alone.
 * @param cached which pages are there.
 */
function file(cached: readonly number[]) {
  const guest = new BareGuest();
  const functions = Array.from({ length: 400 }, (_, i) => ({
    name: `function_${i}`,
    address: LINKED_AT + 16 * i,
    size: 16,
  }));
  const elf = writeElf(functions, "sections");
  assert.equal(Math.ceil(elf.length / 4096), PLACES.length);
  guest.put(INODE, guest.at(CACHE), BigInt(elf.length));
  guest.put(CACHE + 16, guest.at(NODE) | 2n);
  for (const index of cached) {
    const place = PLACES[index];
    guest.putBytes(place * 4096, elf.subarray(index * 4096, (index + 1) * 4096));
    const first = index === 2 ? 1 : index;
    const folio = PAGES + 64 * PLACES[first];
    guest.put(folio + 32, BigInt(first));
    guest.put(NODE + 40 + 8 * index, index === 2 ? (1n << 2n) | 2n : guest.at(folio));
  }
  const memory = new KernelMemory(guest.view, BARE);
  return { memory, mapped: new MappedFile(layout, guest.at(INODE), "/usr/bin/tool") };
}

test("MappedFile: names the functions of a file in the page cache, whose pages lie anywhere", () => {
  const { memory, mapped } = file([0, 1, 2, 3]);
  assert.equal(mapped.name, "tool");
  assert.equal(mapped.function(0), undefined);
  mapped.learn(memory, 2n, RAM_PAGE + BigInt(PLACES[2]));
  assert.equal(mapped.function(16 * 5 + 3), "function_5");
  assert.equal(mapped.function(16 * 399), "function_399");
  assert.equal(mapped.function(16 * 400), undefined);
});

test("MappedFile: knows nothing of a file whose beginning is not cached, and tries again", () => {
  const { memory, mapped } = file([1, 2, 3]);
  mapped.learn(memory, 1n, RAM_PAGE + BigInt(PLACES[1]));
  assert.equal(mapped.function(16), undefined);
  const whole = file([0, 1, 2, 3]);
  mapped.relearn(whole.memory);
  assert.equal(mapped.function(16), "function_1");
});
