/** Page tables full of everything that may be wrong with them, and addresses that use them. Who calls it: fuzz tests. */
import { type GuestMemory, RAM_BASE } from "../../memory.ts";
import type { Random } from "../../testing/random-node.ts";
import { entryFor, Pte, poke, RAM_SIZE, table } from "./sample.ts";

/** Tables 0 to 7 get random entries that mostly point at each other or at RAM; every kind of error is among them. */
export function fillTables(memory: GuestMemory, random: Random): void {
  for (let i = 0; i < 8; i++) {
    for (let index = 0; index < 512; index += index < 8 ? 1 : random.pick([1, 7, 63])) {
      poke(memory, table(i) + 8 * index, randomEntry(random));
    }
  }
}

function randomEntry(random: Random): bigint {
  let entry: bigint;
  const kind = random.below(10);
  if (kind < 5) entry = entryFor(table(random.below(9)), 0n);
  else if (kind < 6)
    entry = entryFor(random.pick([0x8000_0000, 0, 0x4000_0000, 0x80_0000_0000]), BigInt(random.below(128) * 2));
  else entry = entryFor(RAM_BASE + random.below(RAM_SIZE / 4096) * 4096, BigInt(random.below(128) * 2) | Pte.A | Pte.R);
  if (random.below(10) === 0) entry ^= 1n << BigInt(random.below(64));
  if (random.below(12) === 0) entry |= Pte.N | (8n << 10n);
  if (random.below(12) === 0) entry |= BigInt(random.below(4)) << 61n;
  return entry;
}

/** Small indices on every level, sometimes the high half, sometimes anything at all. */
export function randomAddress(random: Random): bigint {
  if (random.below(20) === 0) return random.doubleword();
  let address = BigInt(random.below(4096));
  for (let level = 0; level < 5; level++) {
    const index = random.below(4) === 0 ? random.below(512) : random.below(8);
    if (level < 3 || random.below(3) > 0) address |= BigInt(index) << BigInt(12 + 9 * level);
  }
  const width = random.pick([39n, 48n, 57n, 32n]);
  address &= (1n << width) - 1n;
  return random.below(3) === 0 ? BigInt.asUintN(64, BigInt.asIntN(Number(width), address)) : address >> 1n;
}

/** The same tables with entries of which most are right: 2 MiB pages start where they may, and A and D are often set. */
export function fillLikelyTables(memory: GuestMemory, random: Random): void {
  for (let i = 0; i < 8; i++) {
    for (let index = 0; index < 512; index += index < 8 ? 1 : 63) {
      const odd = random.below(10) === 0;
      poke(memory, table(i) + 8 * index, odd ? randomEntry(random) : likelyEntry(random));
    }
  }
}

function likelyEntry(random: Random): bigint {
  if (random.below(2) === 0) return entryFor(table(random.below(8)), 0n);
  const physical = RAM_BASE + random.pick([0, 0x20_0000, random.below(RAM_SIZE / 4096) * 4096]);
  const bits = Pte.R | (BigInt(random.below(128)) * 2n) | (random.below(2) === 0 ? Pte.A | Pte.D : 0n);
  return entryFor(physical, bits);
}

/** An address that these tables translate, as far as its indices go. `mode` is that of `satp`. */
export function likelyAddress(random: Random, mode: number): bigint {
  let address = BigInt(random.below(4096));
  for (let level = 0; level < mode - 5; level++) address |= BigInt(random.below(8)) << BigInt(12 + 9 * level);
  return address;
}
