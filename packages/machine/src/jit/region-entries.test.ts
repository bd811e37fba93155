/** Random control flow, irreducible and with calls, entered wherever a budget happens to end: JIT and interpreter agree. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@bulkhead/isa";
import { HartState, Signal } from "../hart/layout.ts";
import { RAM_BASE } from "../memory.ts";
import { FlatMachine, type TestState } from "../testing/flat-machine.ts";
import { Random, seedOf } from "../testing/random-node.ts";
import { randomChooser } from "../testing/random-tiers-node.ts";
import type { JitThreshold } from "../translating-processor.ts";

const seed = seedOf("region entries");
const PROGRAMS = 60;
/** Words of a block, and the registers that programs compute with. */
const BLOCK = 8;
const [RA, BASE, FIRST, LAST, COUNTER] = [1, 5, 8, 15, 31];
const EBREAK = encode("ebreak", {});

/** Blocks of ALU instructions that end with a branch to anywhere; each also counts down to the program's end. */
function program(random: Random): number[] {
  const count = 3 + random.below(14);
  const words: number[] = [];
  const register = (): number => FIRST + random.below(LAST - FIRST + 1);
  const to = (block: number, at: number): number => (block * BLOCK - at) * 4;
  for (let block = 0; block < count; block++) {
    for (let i = 0; i < 3; i++) {
      const [rd, rs1, rs2] = [register(), register(), register()];
      const imm = random.below(64) * 8;
      const kind = random.below(8);
      if (kind === 0) words.push(encode("ld", { rd, rs1: BASE, imm }));
      else if (kind === 1) words.push(encode("sd", { rs1: BASE, rs2, imm }));
      else if (kind === 2) words.push(encode("csrrw", { rd, rs1, imm: 0x140 }));
      else if (kind === 3) words.push(encode("amoadd.d", { rd, rs1: BASE, rs2 }));
      else words.push(encode(random.pick(["add", "xor", "sub", "addw"]), { rd, rs1, rs2 }));
    }
    words.push(encode("addi", { rd: COUNTER, rs1: COUNTER, imm: -1 }));
    words.push(encode("beq", { rs1: COUNTER, rs2: 0, imm: to(count + 1, words.length) }));
    // A call of the leaf behind the blocks, or nothing.
    if (random.below(3) === 0) words.push(encode("jal", { rd: RA, imm: to(count, words.length) }));
    else words.push(encode("addi", { rd: register(), rs1: register(), imm: random.below(64) }));
    const branch = { rs1: register(), rs2: register(), imm: to(random.below(count), words.length) };
    words.push(encode(random.pick(["blt", "bge", "bltu", "bne"]), branch));
    words.push(encode("jal", { rd: 0, imm: to(random.below(count), words.length) }));
  }
  words.push(encode("addi", { rd: FIRST, rs1: FIRST, imm: 3 }));
  words.push(encode("jalr", { rd: 0, rs1: RA, imm: 0 }));
  while (words.length < (count + 1) * BLOCK) words.push(EBREAK);
  words.push(EBREAK);
  return words;
}

function finish(machine: FlatMachine, start: TestState, budget: () => number): bigint[] {
  let state = start;
  machine.hart.operations.length = 0;
  let accesses = 0;
  const { load, store } = machine.hart;
  const faults = (): boolean => {
    if (++accesses % 7 !== 0) return false;
    machine.hart.signal(Signal.exception);
    return true;
  };
  machine.hart.load = (...access) => (faults() ? 0n : load.call(machine.hart, ...access));
  machine.hart.store = (...access) => {
    if (!faults()) store.call(machine.hart, ...access);
  };
  while (machine.hart.operations.length === 0) {
    state = machine.run(state, budget());
    // A fault: goes on behind the instruction, which has changed nothing.
    if (machine.word(HartState.signal) === Signal.exception) state = { ...state, pc: state.pc + 4n };
  }
  return [...state.x, state.pc, BigInt(accesses)];
}

for (let index = 0; index < PROGRAMS; index++) {
  test(`regions: program ${index} ends alike however it is entered (seed ${seed})`, () => {
    const random = new Random(seed + index);
    const words = program(random);
    // Most programs lie across a page's end, some with an instruction in both pages.
    const at = RAM_BASE + 4096 - random.below(words.length * 2) * 2;
    const x = Array.from({ length: 32 }, (_, r) => (r >= FIRST && r <= LAST ? random.doubleword() : 0n));
    x[BASE] = BigInt(RAM_BASE + 0x8000);
    x[COUNTER] = BigInt(50 + random.below(500));
    const start = { x, f: x.map(() => 0n), pc: BigInt(at), fflags: 0, frm: 0, reservation: undefined };
    const run = (threshold: JitThreshold, budget: () => number): bigint[] => {
      const machine = new FlatMachine(threshold, index % 2 === 0);
      const code = machine.code(at, words.length * 4);
      for (const [position, word] of words.entries()) code.setUint32(position * 4, word, true);
      return finish(machine, start, budget);
    };
    const expected = run("never", () => 10_000);
    assert.deepEqual(
      run(0, () => 10_000),
      expected,
      "without a pause",
    );
    assert.deepEqual(
      run(0, () => random.below(30)),
      expected,
      "with pauses",
    );
    assert.deepEqual(
      run(2, () => random.below(30)),
      expected,
      "with pauses, in both tiers",
    );
    assert.deepEqual(
      run(randomChooser(random), () => random.below(30)),
      expected,
      "with pauses, in tiers that switch at random",
    );
  });
}

test("regions: the way out beside a branch to a call stores what was computed before the branch", () => {
  const machine = new FlatMachine(0, true);
  const words = [
    encode("addi", { rd: FIRST, rs1: FIRST, imm: 1 }),
    encode("beq", { rs1: LAST, rs2: 0, imm: 8 }),
    // Not an instruction: the region ends here.
    0,
    encode("jal", { rd: RA, imm: 8 }),
    EBREAK,
    encode("jalr", { rd: 0, rs1: RA, imm: 0 }),
  ];
  const code = machine.code(RAM_BASE, words.length * 4);
  for (const [position, word] of words.entries()) code.setUint32(position * 4, word, true);
  const x = Array.from({ length: 32 }, (_, r) => (r === LAST ? 1n : 0n));
  const start = { x, f: x.map(() => 0n), pc: BigInt(RAM_BASE), fflags: 0, frm: 0, reservation: undefined };
  assert.equal(machine.run(start, 100).x[FIRST], 1n);
});
