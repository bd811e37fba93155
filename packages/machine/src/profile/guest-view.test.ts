import assert from "node:assert/strict";
import { test } from "node:test";
import { HartState, hartBase } from "../hart/layout.ts";
import { Slot } from "../hart/state.ts";
import { GuestMemory, RAM_BASE } from "../memory.ts";
import { Random, seedOf } from "../testing/random-node.ts";
import { GuestView } from "./guest-view.ts";

const SV39 = 8n << 60n;
const [V, LEAF, NAPOT] = [1n, 0xen, 1n << 63n];

function guest(ramSize = 0x100000) {
  const memory = new GuestMemory(ramSize, 1);
  const { buffer, ramOffset } = memory;
  const view = new GuestView({ buffer, ramOffset, ramSize, harts: 1, oneThread: true });
  const entry = (at: number, value: bigint) => memory.view.setBigUint64(ramOffset + at, value, true);
  const page = (index: number) => BigInt(RAM_BASE / 4096 + index);
  /** Tables on pages 0 to 2; what maps 4 KiB at `0x1000 * index` goes into the last. */
  entry(0, (page(1) << 10n) | V);
  entry(0x1000, (page(2) << 10n) | V);
  return { memory, view, entry, page, satp: SV39 | page(0) };
}

test("GuestView.translate: walks tables down to pages, larger pages and groups of pages", () => {
  const { view, entry, page, satp, memory } = guest(0x400000);
  entry(0x2000 + 8, (page(5) << 10n) | LEAF | V);
  entry(0x1000 + 8, (page(512) << 10n) | LEAF | V);
  for (let i = 16; i < 32; i++) entry(0x2000 + 8 * i, ((page(32) + 8n) << 10n) | NAPOT | LEAF | V);
  const at = (address: bigint) => {
    const found = view.translate(satp, address);
    return found && [found.offset - memory.ramOffset, found.bytes];
  };
  assert.deepEqual(at(0x1234n), [0x5234, 0xdcc]);
  assert.deepEqual(at(0x212345n), [0x212345, 0x1edcbb]);
  assert.deepEqual(at(0x13456n), [0x23456, 0xcbaa]);
  assert.equal(at(0x3000n), undefined);
  assert.equal(at(1n << 38n), undefined);
});

test("GuestView.translate: takes addresses as they are while paging is off", () => {
  const { view, memory } = guest();
  assert.equal(view.translate(0n, BigInt(RAM_BASE + 16))?.offset, memory.ramOffset + 16);
  assert.equal(view.translate(0n, 0n), undefined);
  assert.equal(view.translate(7n << 60n, BigInt(RAM_BASE)), undefined);
});

test("GuestView: reads numbers, bytes and texts across pages, and nothing that is not mapped", () => {
  const { view, entry, page, satp, memory } = guest();
  entry(0x2000 + 8, (page(7) << 10n) | LEAF | V);
  entry(0x2000 + 16, (page(4) << 10n) | LEAF | V);
  memory.bytes.set(new TextEncoder().encode("crosse"), memory.ramOffset + 0x8000 - 6);
  memory.bytes.set(new TextEncoder().encode("s\0"), memory.ramOffset + 0x4000);
  assert.equal(view.text(satp, 0x1ffan, 100), "crosses");
  assert.equal(view.text(satp, 0x1ffan, 3), "cro");
  assert.equal(view.read(satp, 0x1ffen, 4), 0x0073_6573n);
  assert.equal(view.copy(satp, 0x2000n, 4096)?.length, 4096);
  assert.equal(view.copy(satp, 0x2000n, 4097), undefined);
  assert.equal(view.read(satp, 0x2ffcn, 8), undefined);
  assert.equal(view.text(satp, 0x3000n, 8), undefined);
});

test("GuestView.hart: shows a hart as its state has it", () => {
  const { view, memory } = guest();
  const base = hartBase(0);
  memory.view.setBigUint64(base + HartState.pc, 0x1234n, true);
  memory.view.setBigUint64(base + HartState.x + 8 * 4, 5n, true);
  memory.view.setBigUint64(base + Slot.satp * 4, SV39, true);
  memory.view.setInt32(base + HartState.activity, 2, true);
  const { pc, satp, activity, waiting } = view.hart(0);
  assert.deepEqual({ pc, satp, activity, waiting }, { pc: 0x1234n, satp: SV39, activity: 2, waiting: false });
  assert.equal(view.register(0, 4), 5n);
});

test("GuestView: never throws, whatever the tables hold", () => {
  const random = new Random(seedOf("GuestView"));
  const { view, memory } = guest(0x10000);
  for (let i = 0; i < 0x2000; i++) {
    const address = BigInt(RAM_BASE) + BigInt(random.below(0x10000));
    const value = random.below(2) === 0 ? random.doubleword() : ((address >> 12n) << 10n) | BigInt(random.below(16));
    memory.view.setBigUint64(memory.ramOffset + 8 * i, value, true);
  }
  for (let i = 0; i < 2000; i++) {
    const satp = (BigInt(random.below(16)) << 60n) | BigInt(RAM_BASE / 4096 + random.below(17));
    const address = random.below(2) === 0 ? random.doubleword() : BigInt(random.word());
    view.read(satp, address, 8);
    view.text(satp, address, 64);
    view.copy(satp, address, 5000);
  }
});
