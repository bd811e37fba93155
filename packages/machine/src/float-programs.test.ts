/** Random floating-point programs with loops, CSR accesses and mixed widths through JIT, interpreter and oracle. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Decoded,
  decode,
  encode,
  type Instruction,
  instructions,
  type OracleState,
  sampleOperands,
  step,
  usesFloat,
} from "@bulkhead/isa";
import { RAM_BASE } from "./memory.ts";
import { FlatMachine } from "./testing/flat-machine.ts";
import { Random, seedOf } from "./testing/random-node.ts";

const seed = seedOf("float-programs");
const [FFLAGS, FRM] = [1, 2];
const [COUNTER, BASE] = [5, 6];
const DYNAMIC = 7;
const SCRATCH = RAM_BASE + 0x8000;
const SCRATCH_BYTES = 128;
const [PROGRAMS, LENGTH, ROUNDS, BUDGET] = [250, 16, 3, 1000];
const EBREAK = encode("ebreak", {});

const candidates = instructions.filter((found) => !found.name.startsWith("c.") && usesFloat(found));
/** The common ones more often than those of Zfa and Zfhmin. */
const common = candidates.filter(({ name }) => /^f(n?m(add|sub)|add|sub|mul|div|sqrt|sgnj|cvt|mv|[ls][dw])/.test(name));

/** Few registers, so that results are used; integer ones from 10 on, so that the loop's own stay. */
function fieldsOf(random: Random, { operands }: Instruction) {
  const register = (): number => random.below(5);
  const source = register();
  const integer = (field: string): number => (new RegExp(`(^| )${field}(,|$)`).test(operands) ? 10 : 0);
  return {
    rd: register() + integer("rd"),
    rs1: operands.includes("(rs1)") ? BASE : source + integer("rs1"),
    rs2: random.below(3) === 0 ? source : register(),
    rs3: register(),
    imm: operands.includes("imm") ? random.below(SCRATCH_BYTES / 8) * 8 : 0,
    rm: random.pick([0, DYNAMIC, DYNAMIC, DYNAMIC, random.below(5)]),
  };
}

/** A loop over random instructions. */
function program(random: Random): number[] {
  const body = Array.from({ length: LENGTH }, () => {
    const kind = random.below(16);
    if (kind === 0) return encode("csrrwi", { rd: 11, rs1: random.pick([0, 1, 1, random.below(32)]), imm: FFLAGS });
    if (kind === 1) return encode("csrrwi", { rd: 12, rs1: random.pick([0, 0, random.below(5)]), imm: FRM });
    const instruction = random.pick(random.below(4) ? common : candidates);
    return encode(instruction.name, fieldsOf(random, instruction));
  });
  const count = encode("addi", { rd: COUNTER, rs1: COUNTER, imm: -1 });
  return [...body, count, encode("bne", { rs1: COUNTER, imm: -4 * (body.length + 1) }), EBREAK];
}

function operand(random: Random): bigint {
  return sampleOperands(random.pick(["add.f64", "add.f64", "add.f32", "convert.f64.i64"]), () => random.word())[0];
}

/** What the oracle leaves to its caller: `csrrwi` of `fflags` and `frm`. */
function writeCsr(state: OracleState, { rd, rs1, imm, length }: Decoded): void {
  state.x[rd] = BigInt(imm === FFLAGS ? state.fflags : state.frm);
  if (imm === FFLAGS) state.fflags = rs1;
  else state.frm = rs1;
  state.pc += BigInt(length);
}

function evaluate(state: OracleState, words: readonly number[]): void {
  for (;;) {
    const decoded = decode(words[(Number(state.pc) - RAM_BASE) / 4]!)!;
    if (decoded.instruction.name === "ebreak") return;
    const event = step(state, decoded);
    if (event?.kind === "csr") writeCsr(state, decoded);
    else assert.equal(event, undefined);
  }
}

function memoryOf(view: DataView): OracleState["memory"] {
  const at = (address: bigint): number => Number(address) - SCRATCH;
  return {
    load: (bytes, address) => {
      if (bytes === 8) return view.getBigUint64(at(address), true);
      return BigInt(bytes === 4 ? view.getUint32(at(address), true) : view.getUint16(at(address), true));
    },
    store: (bytes, address, value) => {
      if (bytes === 8) view.setBigUint64(at(address), value, true);
      else if (bytes === 4) view.setUint32(at(address), Number(value & 0xffff_ffffn), true);
      else view.setUint16(at(address), Number(value & 0xffffn), true);
    },
  };
}

const hex = (value: bigint): string => value.toString(16);

test(`JIT and interpreter: floating-point programs end as the oracle says (seed ${seed})`, () => {
  const random = new Random(seed);
  const machines = [
    { name: "JIT", machine: new FlatMachine(0, true) },
    { name: "JIT without TLB", machine: new FlatMachine(0, false) },
    { name: "interpreter", machine: new FlatMachine("never", true) },
  ];
  for (let index = 0; index < PROGRAMS; index++) {
    const words = program(random);
    const x = Array.from({ length: 32 }, () => random.doubleword() >> BigInt(random.below(64)));
    [x[0], x[COUNTER], x[BASE]] = [0n, BigInt(ROUNDS), BigInt(SCRATCH)];
    const f = Array.from({ length: 32 }, () => operand(random));
    const start = { x, f, pc: BigInt(RAM_BASE), fflags: random.pick([0, 1, 1]), frm: 0, reservation: undefined };
    const before = new DataView(new ArrayBuffer(SCRATCH_BYTES));
    for (let at = 0; at < SCRATCH_BYTES; at += 8) before.setBigUint64(at, operand(random), true);
    const after = new DataView(before.buffer.slice(0));
    const expected: OracleState = { ...start, x: [...x], f: [...f], memory: memoryOf(after) };
    evaluate(expected, words);
    for (const { name, machine } of machines) {
      const code = machine.code(RAM_BASE, words.length * 4);
      for (const [position, word] of words.entries()) code.setUint32(position * 4, word, true);
      const scratch = machine.memory.readable(SCRATCH, SCRATCH_BYTES)!;
      scratch.set(new Uint8Array(before.buffer));
      const found = machine.run(start, BUDGET);
      const where = `${name}, program ${index}: ${words.map((word) => word.toString(16)).join(" ")}`;
      assert.equal(machine.hart.operations.pop(), "ebreak", where);
      assert.deepEqual(found.f.map(hex), expected.f.map(hex), `${where} f`);
      assert.deepEqual(found.x.map(hex), expected.x.map(hex), `${where} x`);
      assert.equal(found.fflags, expected.fflags, `${where} fflags`);
      assert.deepEqual(new Uint8Array(scratch), new Uint8Array(after.buffer), `${where} memory`);
    }
  }
});
