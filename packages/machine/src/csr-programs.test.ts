/** CSR instructions in a row, as every tier executes them over a real hart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@bulkhead/isa";
import type { Hart } from "./hart/hart.ts";
import { HartState, Signal } from "./hart/layout.ts";
import { Slot, Word } from "./hart/state.ts";
import { enterMode, sample } from "./hart/testing/sample.ts";
import { RAM_BASE } from "./memory.ts";
import { Random, seedOf } from "./testing/random-node.ts";
import { type JitThreshold, TranslatingProcessor } from "./translating-processor.ts";

const numbers = [0x100, 0x100, 0x140, 0x141, 0x142, 0x143, 1, 2, 3, 0x104, 0x144];
const machineNumbers = [0x340, 0x341, 0x342, 0x343];
const registerForms = ["csrrw", "csrrs", "csrrc"] as const;
const immediateForms = ["csrrwi", "csrrsi", "csrrci"] as const;
const EBREAK = encode("ebreak", {});
const LENGTH = 24;

interface Start {
  readonly code: readonly number[];
  readonly x: readonly bigint[];
  readonly privilege: number;
  /** Low half of `mstatus`, `mie` and pending lines. */
  readonly status: number;
  readonly enabled: number;
  readonly lines: number;
  readonly floatDirty: number;
}

function randomStart(random: Random): Start {
  const code = Array.from({ length: LENGTH }, () => {
    const fields = { rd: random.pick([0, 10, 11, 12, 13]), rs1: random.pick([0, 10, 11, 12, 13]) };
    const imm = random.pick(random.below(3 * LENGTH) === 0 ? machineNumbers : numbers);
    if (random.below(2) === 0) return encode(random.pick(registerForms), { ...fields, imm });
    return encode(random.pick(immediateForms), { ...fields, rs1: random.pick([0, 2, 2, 2, random.below(32)]), imm });
  });
  const word = random.word();
  return {
    code,
    x: Array.from({ length: 32 }, () => random.pick([random.doubleword(), 0x4_0000n, 2n, 0x6000n])),
    privilege: random.pick([0, 1, 1, 1, 3]),
    status: (word & 0xc_6122) | (random.below(2) << 13),
    enabled: random.pick([0, 0x222]),
    lines: random.pick([0, 0x20, 0x200]),
    floatDirty: random.below(2),
  };
}

/** What differs although nobody can tell. */
const bookkeeping = new Set<number>([Slot.scratch, Slot.scratch + 1, Word.bankClock, HartState.sampleIn / 4]);

/** The state when the program ends at EBREAK or by an exception, and how often it was left before that. */
function run(start: Start, threshold: JitThreshold): { words: number[]; exits: number } {
  const { hart, memory } = sample("supervisor");
  const processor = new TranslatingProcessor(memory, [hart], { threshold });
  const code = new DataView(memory.buffer, memory.ramOffset);
  for (const [i, word] of [...start.code, EBREAK].entries()) code.setInt32(i * 4, word, true);
  prepare(hart, start);
  let exits = 0;
  for (;;) {
    hart.beginSlice(100);
    processor.run(0);
    exits++;
    if (hart.takeSignal() === Signal.exception) break;
    assert.ok(exits < 2 * LENGTH, "the program does not end");
  }
  // When FS is brought up to date makes no difference to a guest: a read does it.
  hart.readCsr(0x300);
  const words = [...hart.words.subarray(0, HartState.jumps / 4)].map((word, i) => (bookkeeping.has(i) ? 0 : word));
  return { words, exits };
}

function prepare(hart: Hart, { x, privilege, status, enabled, lines, floatDirty }: Start): void {
  hart.writeCsr(0x300, BigInt(status));
  for (const [r, value] of x.entries()) hart.setX(r, value);
  // Exceptions end the program: M-mode, which is to handle them, is somebody else.
  hart.words[Slot.medeleg] = 0;
  hart.words[Slot.mie] = enabled;
  hart.words[Slot.lines] = lines;
  hart.words[Word.floatDirty] = floatDirty;
  hart.pc = BigInt(RAM_BASE);
  enterMode(hart, privilege);
}

test("csr: translated code and the interpreter leave the same state and leave at the same places", () => {
  const random = new Random(seedOf("csr programs"));
  for (let round = 0; round < 60; round++) {
    const start = randomStart(random);
    const expected = run(start, "never");
    const found = run(start, 0);
    assert.equal(found.exits, expected.exits);
    for (const [i, word] of found.words.entries()) assert.equal(word, expected.words[i], `state at ${i * 4}`);
  }
});
