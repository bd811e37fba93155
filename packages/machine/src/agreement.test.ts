/** Every instruction through oracle, interpreter and JIT, on corner and random operands: all must agree. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Decoded,
  decode,
  extractFields,
  flowOf,
  type Instruction,
  insertFields,
  instructions,
  type OracleState,
  step,
} from "@bulkhead/isa";
import { type GuestMemory, RAM_BASE } from "./memory.ts";
import { FlatMachine } from "./testing/flat-machine.ts";
import { Random, seedOf } from "./testing/random-node.ts";
import { randomChooser } from "./testing/random-tiers-node.ts";

const seed = seedOf("agreement");
const CODE = RAM_BASE;
const SCRATCH = RAM_BASE + 0x8000;
const SCRATCH_BYTES = 512;
const EBREAK = 0x0010_0073;
/** Encodings per instruction, and operand sets per encoding. */
const [ENCODINGS, OPERANDS] = [4, 12];

const corners = [
  0n,
  1n,
  2n,
  31n,
  32n,
  63n,
  64n,
  0x7fn,
  0x80n,
  0x7fffn,
  0x8000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_3f80_0000n,
  0xffff_ffff_7fc0_0000n,
  0xffff_ffff_7f80_0001n,
  0xffff_ffff_0000_0001n,
  0xffff_ffff_7f80_0000n,
  0x3ff0_0000_0000_0000n,
  0x7ff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n,
  0x7ff0_0000_0000_0001n,
  0x0010_0000_0000_0000n,
  0x0000_0000_0000_0001n,
  0x4330_0000_0000_0000n,
  0xc3e0_0000_0000_0000n,
  0xffff_ffff_ffff_3c00n,
  0xffff_ffff_ffff_7c01n,
];
const operand = (random: Random): bigint =>
  random.below(2) === 0 ? random.pick(corners) : random.doubleword() >> BigInt(random.below(64));

const START = BigInt(CODE + 0x4000);

/** Puts an instruction at START, and ebreak wherever control may go next. */
function place(machine: FlatMachine, word: number, targets: readonly bigint[]): void {
  const view = machine.code(CODE, 0x8000);
  for (const target of targets) {
    const at = Number(target) - CODE;
    if (at >= 0 && at < 0x7ffc) view.setUint32(at, EBREAK, true);
  }
  view.setUint32(Number(START) - CODE, word, true);
}

const scratch = (memory: GuestMemory): Uint8Array => memory.readable(SCRATCH, SCRATCH_BYTES)!;

/** Operand values that make an instruction's memory access, if it has one, fall into the scratch area. */
function operands(random: Random, decoded: Decoded): OracleState {
  const x = Array.from({ length: 32 }, () => operand(random));
  const { operands: form, name } = decoded.instruction;
  if (form.includes("(rs1)") && name !== "jalr") {
    const atomic = /^(amo|lr|sc|cbo)/.test(name);
    const at = BigInt(SCRATCH + 64 + (atomic ? random.below(8) * 16 : random.below(256)));
    x[decoded.rs1] = BigInt.asUintN(64, at - (form.includes("imm") ? BigInt(decoded.imm) : 0n));
  }
  if (name === "jalr") x[decoded.rs1] = BigInt(CODE + 0x1000 + random.below(0x800) * 4 - decoded.imm);
  x[0] = 0n;
  return {
    x,
    f: Array.from({ length: 32 }, () => (random.below(3) ? operand(random) : operand(random) | 0xffff_ffff_0000_0000n)),
    pc: START,
    fflags: random.below(32),
    frm: random.below(5),
    reservation: name.startsWith("sc") && random.below(2) ? x[decoded.rs1] : undefined,
    memory: { load: () => 0n, store: () => {} },
  };
}

function encodings(random: Random, instruction: Instruction): number[] {
  return Array.from({ length: ENCODINGS }, (_, index) => {
    const fields = extractFields(instruction, random.below(2 ** 31) * 2 + random.below(2));
    const even = instruction.name === "amocas.q" ? { rd: fields.rd & ~1, rs2: fields.rs2 & ~1 } : {};
    const near = /^(jal|b..|b...)$/.test(instruction.name) ? { imm: (random.below(1000) - 500) * 4 + 8 } : {};
    const rm = fields.rm === 5 || fields.rm === 6 ? { rm: 7 } : {};
    const same = index === 0 ? { rs1: fields.rs1 || 5, rd: fields.rs1 || 5 } : {};
    const base = instruction.operands.includes("(rs1)") && fields.rs1 === 0 ? { rs1: 6 } : {};
    return insertFields(instruction, { ...fields, ...rm, ...near, ...base, ...same, ...even });
  });
}

const isTested = ({ name, semantics }: Instruction): boolean =>
  !/csr|o\.system|system\(/.test(semantics.toString()) && !["fence", "pause"].includes(name);

const machines = [
  { name: "interpreter", machine: new FlatMachine("never", false) },
  { name: "interpreter with TLB, for several harts", machine: new FlatMachine("never", true, 2) },
  { name: "JIT", machine: new FlatMachine(0, false) },
  { name: "JIT with TLB", machine: new FlatMachine(0, true) },
  { name: "tiers at random", machine: new FlatMachine(randomChooser(new Random(seed)), true) },
];

for (const instruction of instructions.filter(isTested)) {
  test(`${instruction.name}: oracle, interpreter and JIT agree (seed ${seed})`, () => {
    const random = new Random(seed ^ instruction.match);
    for (const word of encodings(random, instruction)) {
      const decoded = decode(word)!;
      if (decoded.instruction !== instruction) continue;
      const target = BigInt.asUintN(64, START + BigInt(decoded.imm));
      const everywhere = Array.from({ length: 0x1fff }, (_, i) => BigInt(CODE + i * 4));
      const flow = flowOf(instruction);
      const targets = flow === "indirect" ? everywhere : flow === "next" ? [START + 4n] : [START + 4n, target];
      for (const { machine } of machines) place(machine, word, targets);
      for (let i = 0; i < OPERANDS; i++) {
        const start = operands(random, decoded);
        const before = Uint8Array.from({ length: SCRATCH_BYTES }, () => random.below(256));
        const expectedMemory = before.slice();
        const expected: OracleState = { ...start, x: [...start.x], f: [...start.f], memory: flat(expectedMemory) };
        step(expected, decoded);
        for (const { name, machine } of machines) {
          scratch(machine.memory).set(before);
          const found = machine.run(start);
          assert.equal(machine.hart.operations.pop(), "ebreak", name);
          const where = `${name}: ${word.toString(16)} ${JSON.stringify({ ...decoded, instruction: instruction.name })}`;
          assert.deepEqual(found.x.map(hex), expected.x.map(hex), `${where} x`);
          assert.deepEqual(found.f.map(hex), expected.f.map(hex), `${where} f`);
          assert.equal(hex(found.pc), hex(expected.pc), `${where} pc`);
          assert.equal(found.fflags, expected.fflags, `${where} fflags`);
          assert.deepEqual(scratch(machine.memory), expectedMemory, `${where} memory`);
        }
      }
    }
  });
}

const hex = (value: bigint): string => value.toString(16);

function flat(bytes: Uint8Array): OracleState["memory"] {
  const at = (address: bigint): number => Number(BigInt.asUintN(64, address)) - SCRATCH;
  return {
    load: (length, address) =>
      bytes.subarray(at(address), at(address) + length).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
    store: (length, address, value) => {
      for (let i = 0; i < length; i++) bytes[at(address) + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    },
  };
}
