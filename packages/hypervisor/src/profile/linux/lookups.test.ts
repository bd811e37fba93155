import assert from "node:assert/strict";
import { test } from "node:test";
import { BARE, BareGuest } from "../testing/guest.ts";
import { randomOf } from "../testing/random.ts";
import { KernelMemory } from "./kernel-memory.ts";
import { mapleFind } from "./maple-tree.ts";
import type { Structures } from "./structures.ts";
import { xarrayFind } from "./xarray.ts";

const layout = {
  treeRoot: 8n,
  rangePivots: 8n,
  rangeSlots: 128n,
  widePivots: 8n,
  wideSlots: 80n,
  nodeShift: 0n,
  nodeSlots: 40n,
} as Structures;

const [TREE, LEAF, LEAF_2, INNER] = [0x100, 0x1000, 0x2000, 0x3000];
const node = (guest: BareGuest, offset: number, type: number): bigint => guest.at(offset) | BigInt(type << 3) | 4n;

/** A tree with two leaves under an inner node: areas at 10 to 19 and 40 to 49. */
function tree(): { guest: BareGuest; memory: KernelMemory; address: bigint } {
  const guest = new BareGuest();
  guest.put(LEAF + 8, 9n, 19n, 29n);
  guest.put(LEAF + 128, 0n, 0x1_0000n, 0n);
  guest.put(LEAF_2 + 8, 39n, 49n, 0n);
  guest.put(LEAF_2 + 128, 0n, 0x2_0000n, 0n);
  guest.put(INNER + 8, 29n, 0xffffn);
  guest.put(INNER + 80, node(guest, LEAF, 1), node(guest, LEAF_2, 1));
  guest.put(TREE + 8, node(guest, INNER, 3) | 2n);
  return { guest, memory: new KernelMemory(guest.view, BARE), address: guest.at(TREE) };
}

test("mapleFind: finds what covers an index in a tree of several levels", () => {
  const { memory, address } = tree();
  const found = [0n, 10n, 19n, 20n, 35n, 40n, 49n, 50n].map((index) => mapleFind(memory, layout, address, index));
  assert.deepEqual(found, [0n, 0x1_0000n, 0x1_0000n, 0n, 0n, 0x2_0000n, 0x2_0000n, 0n]);
});

test("mapleFind: finds an entry that is the tree's root", () => {
  const { guest, memory, address } = tree();
  guest.put(TREE + 8, 0x5_0000n);
  assert.equal(mapleFind(memory, layout, address, 0n), 0x5_0000n);
  assert.equal(mapleFind(memory, layout, address, 1n), 0n);
});

test("xarrayFind: finds pointers by index, also those of a group by its later members", () => {
  const guest = new BareGuest();
  const memory = new KernelMemory(guest.view, BARE);
  guest.put(0x1000, 6n);
  guest.put(0x1000 + 40, guest.at(0x2000) | 2n, guest.at(0x3000) | 2n);
  guest.put(0x2000, 0n);
  // Slots 0 and 1, then a group of four from slot 4 on, and a value.
  guest.put(0x2000 + 40, 0x10_0000n, 0x11_0000n, 0n, 0n, 0x14_0000n, (4n << 2n) | 2n, (4n << 2n) | 2n, 9n);
  guest.put(0x3000, 0n);
  guest.put(0x3000 + 40 + 8 * 3, 0x20_0000n);
  const head = guest.at(0x1000) | 2n;
  const found = [0n, 1n, 2n, 4n, 5n, 6n, 7n, 67n, 4096n].map((index) => xarrayFind(memory, layout, head, index));
  assert.deepEqual(found, [0x10_0000n, 0x11_0000n, 0n, 0x14_0000n, 0x14_0000n, 0x14_0000n, 0n, 0x20_0000n, 0n]);
  assert.equal(xarrayFind(memory, layout, 0x30_0000n, 0n), 0x30_0000n);
  assert.equal(xarrayFind(memory, layout, 0x30_0000n, 1n), 0n);
});

test("mapleFind and xarrayFind: end and never throw, whatever is in memory", () => {
  const random = randomOf("lookups");
  const guest = new BareGuest(0x10000);
  const memory = new KernelMemory(guest.view, BARE);
  for (let offset = 0; offset < 0x10000; offset += 8) {
    guest.put(offset, guest.at(random(0x10000)) | BigInt(random(256)));
  }
  for (let i = 0; i < 2000; i++) {
    mapleFind(memory, layout, guest.at(random(0x1000) * 8), BigInt(random(1 << 30)));
    xarrayFind(memory, layout, guest.at(random(0x10000)) | 2n, BigInt(random(1 << 30)));
  }
});
