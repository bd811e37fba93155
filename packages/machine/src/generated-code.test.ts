/** What interpreter and JIT share beyond single instructions: leaving, budgets, loops of every shape, code that changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@bulkhead/isa";
import { HartState, Signal } from "./hart/layout.ts";
import { RAM_BASE } from "./memory.ts";
import { FlatMachine, type TestState } from "./testing/flat-machine.ts";
import { Random, seedOf } from "./testing/random-node.ts";
import { randomChooser } from "./testing/random-tiers-node.ts";

const random = new Random(seedOf("generated code"));
const tiers = { interpreter: "never", JIT: 0, mixed: 2, random: randomChooser(random) } as const;
const [T0, T1, T2, A0, A1] = [5, 6, 7, 10, 11];
const EBREAK = encode("ebreak", {});
const addi = (rd: number, rs1: number, imm: number): number => encode("addi", { rd, rs1, imm });
const bne = (rs1: number, rs2: number, imm: number): number => encode("bne", { rs1, rs2, imm });
const jump = (imm: number): number => encode("jal", { rd: 0, imm });

function start(changes: Partial<TestState> = {}): TestState {
  const zeros = () => Array.from({ length: 32 }, () => 0n);
  const pc = BigInt(RAM_BASE);
  return { x: zeros(), f: zeros(), pc, fflags: 0, frm: 0, reservation: undefined, ...changes };
}

function put(machine: FlatMachine, words: readonly number[], at = RAM_BASE): void {
  const code = machine.code(at, words.length * 4);
  for (const [index, word] of words.entries()) code.setUint32(index * 4, word, true);
}

for (const [name, threshold] of Object.entries(tiers)) {
  test(`${name}: a CSR call-out that signals leave completes its instruction first`, () => {
    const machine = new FlatMachine(threshold, true);
    machine.hart.csr = () => {
      machine.hart.signal(Signal.leave);
      return 77n;
    };
    put(machine, [encode("csrrw", { rd: A0, rs1: 0, imm: 0x180 }), EBREAK]);
    const { x, pc } = machine.run(start());
    assert.equal(x[A0], 77n);
    assert.equal(pc, BigInt(RAM_BASE + 4));
  });

  test(`${name}: a CSR call-out that raises an exception leaves rd and pc as they were`, () => {
    const machine = new FlatMachine(threshold, true);
    machine.hart.csr = () => {
      machine.hart.signal(Signal.exception);
      return 77n;
    };
    put(machine, [addi(A0, 0, 5), encode("csrrw", { rd: A0, rs1: 0, imm: 0x180 }), EBREAK]);
    const { x, pc } = machine.run(start());
    assert.equal(x[A0], 5n);
    assert.equal(pc, BigInt(RAM_BASE + 4));
  });

  test(`${name}: a floating-point load is illegal while FS is off, whatever its address`, () => {
    const machine = new FlatMachine(threshold, true);
    machine.hart.load = () => assert.fail("the load happened");
    machine.setWord(HartState.floatEnabled, 0);
    put(machine, [encode("fld", { rd: 1, rs1: A0, imm: 0 }), EBREAK]);
    const { pc } = machine.run(start());
    assert.deepEqual(machine.hart.operations, ["illegal"]);
    assert.equal(pc, BigInt(RAM_BASE));
  });

  test(`${name}: a loop leaves when its budget ends, and goes on from there`, () => {
    const machine = new FlatMachine(threshold, true);
    put(machine, [addi(A0, A0, 1), bne(A0, A1, -4), EBREAK]);
    let state = start();
    state.x[A1] = 1000n;
    let runs = 0;
    while (machine.hart.operations.length === 0) {
      state = machine.run(state, 100);
      runs++;
      assert.ok(runs < 30, "the loop does not end");
    }
    assert.equal(state.x[A0], 1000n);
    assert.ok(runs >= 19, `${runs} runs of about 50 rounds`);
  });

  test(`${name}: retires as many instructions as there are, loops and calls included`, () => {
    const machine = new FlatMachine(threshold, true);
    put(machine, [addi(T0, T0, 1), encode("jal", { rd: 1, imm: 12 }), bne(T0, A1, -8), EBREAK]);
    put(machine, [addi(T1, T1, 3), encode("jalr", { rd: 0, rs1: 1, imm: 0 })], RAM_BASE + 16);
    const state = start();
    state.x[A1] = 50n;
    const { x } = machine.run(state, 1000);
    assert.equal(x[T1], 150n);
    assert.equal(1000 - machine.word(HartState.budget), 50 * 5 + 1);
  });

  test(`${name}: executes a loop with two entries (irreducible flow)`, () => {
    const machine = new FlatMachine(threshold, true);
    // The branch enters the loop in its middle, the fall-through at its head.
    const head = [addi(T0, T0, 1), bne(T0, T2, 8), EBREAK, addi(T1, T1, 2), jump(-16)];
    put(machine, [encode("beq", { rs1: A0, rs2: 0, imm: 16 }), ...head]);
    for (const entry of [0n, 1n]) {
      const state = start();
      state.x[A0] = entry;
      state.x[T2] = 20n;
      const { x } = machine.run(state, 1000);
      assert.equal(x[T0], 20n);
      assert.equal(x[T1], entry === 0n ? 40n : 38n);
    }
  });

  test(`${name}: executes code again as it is after a write`, () => {
    const machine = new FlatMachine(threshold, true);
    for (const value of [1, 2, 3]) {
      put(machine, [addi(A0, 0, value), EBREAK]);
      for (let i = 0; i < 4; i++) assert.equal(machine.run(start()).x[A0], BigInt(value));
    }
  });

  test(`${name}: an instruction across two pages is executed, and its second half may change alone`, () => {
    const machine = new FlatMachine(threshold, true);
    const at = RAM_BASE + 0xffe;
    for (const value of [5, 6]) {
      const code = machine.code(at, 8);
      code.setUint32(0, addi(A0, 0, value), true);
      code.setUint32(4, EBREAK, true);
      for (let i = 0; i < 4; i++) assert.equal(machine.run(start({ pc: BigInt(at) })).x[A0], BigInt(value));
    }
  });
}

test("JIT: a write beside a region leaves it; many writes give the page up", () => {
  const machine = new FlatMachine(0, true);
  put(machine, [addi(A0, A0, 1), EBREAK]);
  machine.run(start());
  assert.ok(machine.holdsCode(RAM_BASE));
  machine.code(RAM_BASE + 2048, 8);
  assert.ok(machine.holdsCode(RAM_BASE), "a write elsewhere in the page drops nothing");
  machine.code(RAM_BASE + 4, 4);
  assert.ok(!machine.holdsCode(RAM_BASE + 0), "a write into the region drops it");
  machine.run(start());
  for (let i = 0; i < 1000; i++) machine.code(RAM_BASE + 2048, 8);
  assert.ok(!machine.holdsCode(RAM_BASE), "a page that is mostly data is given up");
});
