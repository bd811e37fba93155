import assert from "node:assert/strict";
import { test } from "node:test";
import { RAM_BASE } from "../memory.ts";
import { HartState, TARGET_ENTRIES, TargetEntry, TLB_BANKS, TLB_ENTRIES } from "./layout.ts";
import { EXECUTE } from "./pmp.ts";
import { Privilege, Word } from "./state.ts";
import { enterMode, entryFor, Pte, poke, type Sample, sample, satpFor, system, table } from "./testing/sample.ts";

const SATP = 0x180;
const CODE = 0x4000n;
const DATA = 0x9000n;
const ALL = -1n;
const PHYSICAL = RAM_BASE + 0x20_0000;

/** S-mode under Sv39 with code on the first pages and data on one, all in RAM, and code looked up on one. */
function machine(): Sample {
  const made = sample("supervisor");
  poke(made.memory, table(0), entryFor(table(1), 0n));
  poke(made.memory, table(1), entryFor(table(2), 0n));
  for (let page = 0; page < 512; page++) {
    const bits = page === Number(DATA >> 12n) ? Pte.R | Pte.W : Pte.R | Pte.X;
    poke(made.memory, table(2) + page * 8, entryFor(PHYSICAL + (page % 64) * 0x1000, bits | Pte.A | Pte.D));
  }
  made.hart.writeCsr(SATP, satpFor(8, 1, table(0)));
  made.hart.fetch(CODE);
  return made;
}

const space = ({ hart }: Sample): number => hart.words[Word.fetchSpace];

test("fetchSpace: stays when data moves, and changes when a page of code may", () => {
  const made = machine();
  const before = space(made);
  made.hart.load(DATA, 3);
  system(made.hart, "sfence.vma", DATA, ALL);
  assert.equal(space(made), before);
  system(made.hart, "sfence.vma", CODE, ALL);
  assert.notEqual(space(made), before);
  assert.equal(made.hart.fetchSpace.space, space(made));
});

test("fetchSpace: changes for a page of code whose TLB entry another page has taken over", () => {
  const made = machine();
  const before = space(made);
  made.hart.fetchSpace.install(Number(CODE) + TLB_ENTRIES * 4096, 0, made.memory.ramOffset, 7, 0);
  assert.equal(made.hart.fetchSpace.find(Number(CODE), 0, EXECUTE), -1);
  system(made.hart, "sfence.vma", CODE, ALL);
  assert.notEqual(space(made), before);
});

test("fetchSpace: pages that are still in the TLB count after it has changed", () => {
  const made = machine();
  made.hart.fetch(CODE + 0x1000n);
  system(made.hart, "sfence.vma", CODE, ALL);
  const before = space(made);
  system(made.hart, "sfence.vma", CODE, ALL);
  assert.equal(space(made), before, "nothing was looked up there since");
  system(made.hart, "sfence.vma", CODE + 0x1000n, ALL);
  assert.notEqual(space(made), before);
});

test("fetchSpace: comes back with its address space, unless that was fenced in between", () => {
  const made = machine();
  const before = space(made);
  enterMode(made.hart, Privilege.user);
  assert.notEqual(space(made), before);
  enterMode(made.hart, Privilege.supervisor);
  assert.equal(space(made), before);
  enterMode(made.hart, Privilege.machine);
  system(made.hart, "sfence.vma", CODE, ALL);
  enterMode(made.hart, Privilege.supervisor);
  assert.notEqual(space(made), before);
});

test("fetchSpace: is never given out again while banks come and go", () => {
  const made = machine();
  const seen = new Set<number>();
  for (let asid = 2; asid < 2 + 3 * TLB_BANKS; asid++) {
    made.hart.writeCsr(SATP, satpFor(8, asid, table(0)));
    assert.ok(!seen.has(space(made)));
    seen.add(space(made));
    made.hart.fetch(CODE);
    system(made.hart, "sfence.vma", ALL, ALL);
    assert.ok(!seen.has(space(made)));
    seen.add(space(made));
  }
});

test("fetchSpace: when the ids run out, targets are forgotten and no two banks share one", () => {
  const made = machine();
  const { hart } = made;
  const targets = HartState.targets / 4;
  hart.words.fill(7, targets, targets + (TARGET_ENTRIES * TargetEntry.bytes) / 4);
  hart.words[Word.lastSpace] = 0x7fff_ffff;
  system(hart, "sfence.vma", CODE, ALL);
  assert.equal(hart.words[targets], -1);
  const spaces = [Privilege.user, Privilege.supervisor, Privilege.machine].map((mode) => {
    enterMode(hart, mode);
    return space(made);
  });
  assert.equal(new Set(spaces).size, 3);
  assert.ok(Math.max(...spaces) < 100);
});

test("sfence.vma: leaves generated code exactly if the place of code may have changed", () => {
  const { hart } = machine();
  assert.equal(system(hart, "sfence.vma", DATA, ALL).signal, 0);
  assert.notEqual(system(hart, "sfence.vma", CODE, ALL).signal, 0);
});
