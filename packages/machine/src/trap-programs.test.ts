/** Traps and returns from them as every tier executes them over a real hart, without the machine's loop where possible. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@bulkhead/isa";
import type { Hart } from "./hart/hart.ts";
import { HartState, Signal } from "./hart/layout.ts";
import { Slot } from "./hart/state.ts";
import { enterMode, sample } from "./hart/testing/sample.ts";
import { RAM_BASE } from "./memory.ts";
import { Random, seedOf } from "./testing/random-node.ts";
import { randomChooser } from "./testing/random-tiers-node.ts";
import { type JitThreshold, TranslatingProcessor } from "./translating-processor.ts";

const random = randomChooser(new Random(seedOf("trap programs")));
const tiers: Readonly<Record<string, JitThreshold>> = { interpreter: "never", JIT: 0, mixed: 2, random };
const HANDLER = RAM_BASE + 0x1000;
const [S0, A0, A1, A2] = [8, 10, 11, 12];
const [SCAUSE, SEPC, STVEC, MINSTRET] = [0x142, 0x141, 0x105, 0xb02];
const addi = (rd: number, rs1: number, imm: number): number => encode("addi", { rd, rs1, imm });

function machine(threshold: JitThreshold, program: readonly number[], handler: readonly number[]) {
  const { hart, memory } = sample("supervisor");
  const processor = new TranslatingProcessor(memory, [hart], { threshold });
  const put = (address: number, words: readonly number[]): void => {
    for (const [i, word] of words.entries()) memory.view.setInt32(memory.offsetOf(address, 4) + i * 4, word, true);
  };
  put(RAM_BASE, program);
  put(HANDLER, handler);
  hart.writeCsr(STVEC, BigInt(HANDLER));
  hart.pc = BigInt(RAM_BASE);
  enterMode(hart, 0);
  return { hart, processor };
}

/** Appends the cause as a decimal digit pair to s0, and goes on behind the instruction. */
const counting = [
  encode("csrrw", { rd: A2, rs1: A2, imm: 0x140 }),
  encode("csrrs", { rd: A0, rs1: 0, imm: SCAUSE }),
  addi(A1, 0, 100),
  encode("mul", { rd: S0, rs1: S0, rs2: A1 }),
  encode("add", { rd: S0, rs1: S0, rs2: A0 }),
  encode("csrrs", { rd: A0, rs1: 0, imm: SEPC }),
  addi(A0, A0, 4),
  encode("csrrw", { rd: 0, rs1: A0, imm: SEPC }),
  encode("csrrw", { rd: A2, rs1: A2, imm: 0x140 }),
  encode("sret", {}),
];

/** Runs until the budget ends, taking what the processor leaves to the machine; gives how often that was. */
function finish(hart: Hart, processor: TranslatingProcessor, budget: number): number {
  hart.beginSlice(budget);
  for (let exits = 0; ; exits++) {
    processor.run(0);
    const signal = hart.takeSignal();
    if (signal === Signal.exception) hart.takeException();
    if (hart.words[HartState.budget / 4] < 0) return exits;
    assert.ok(exits < 100, "the program does not end");
  }
}

for (const [name, threshold] of Object.entries(tiers)) {
  test(`${name}: system calls, faults and breakpoints of U-mode reach the handler and come back`, () => {
    // A call, a load where nothing is, a breakpoint, an illegal instruction, and then a loop.
    const program = [encode("ecall", {}), encode("lw", { rd: A1, rs1: 0, imm: 0 }), encode("ebreak", {})];
    const { hart, processor } = machine(
      threshold,
      [...program, encode("sret", {}), encode("jal", { rd: 0, imm: 0 })],
      counting,
    );
    const exits = finish(hart, processor, 1000);
    assert.equal(hart.getX(S0), 8_05_03_02n);
    assert.equal(hart.privilege, 0);
    assert.ok(exits <= 2, `${exits} exits`);
    hart.beginSlice(0);
    // Four handlers, and the loop for what is left; the instructions that trapped have not retired.
    const retired = Number(hart.readCsr(MINSTRET));
    assert.ok(retired >= 1000 - 4 && retired <= 1002, `${retired} retired`);
  });

  test(`${name}: a guest whose handler faults for ever ends its slice, and retires nothing`, () => {
    const { hart, processor } = machine(threshold, [encode("ecall", {})], []);
    hart.writeCsr(STVEC, 0n);
    finish(hart, processor, 1000);
    assert.equal(hart.words[Slot.privilege], 1);
    assert.equal(hart.readCsr(SCAUSE), 1n);
    hart.beginSlice(0);
    assert.ok(Number(hart.readCsr(MINSTRET)) <= 1);
  });
}
