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
  systemOperations,
} from "@bulkhead/isa";
import { HartState, hartBase, Signal, TLB_ENTRIES, TLB_ENTRY_BYTES, TlbEntry } from "./hart/layout.ts";
import { GuestMemory, RAM_BASE } from "./memory.ts";
import { type ProcessorHart, TranslatingProcessor } from "./translating-processor.ts";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const CODE = RAM_BASE;
const SCRATCH = RAM_BASE + 0x8000;
const SCRATCH_BYTES = 512;
const EBREAK = 0x0010_0073;
/** Encodings per instruction, and operand sets per encoding. */
const [ENCODINGS, OPERANDS] = [4, 12];

/** Small deterministic generator: a run can be repeated by its seed. Source: "mulberry32", T. Ettinger. */
function generator(start: number) {
  let state = start >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    below: (limit: number): number => next() % limit,
    bits64: (): bigint => (BigInt(next()) << 32n) | BigInt(next()),
  };
}
type Random = ReturnType<typeof generator>;

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
  random.below(2) === 0 ? corners[random.below(corners.length)]! : random.bits64() >> BigInt(random.below(64));

/** A hart that has only flat RAM, with or without a TLB that hits. */
class FlatHart implements ProcessorHart {
  readonly #memory: GuestMemory;
  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }
  #offset = (address: bigint): number => Number(BigInt.asUintN(64, address)) - RAM_BASE + this.#memory.ramOffset;
  load(address: bigint, logBytes: number): bigint {
    const { view } = this.#memory;
    const at = this.#offset(address);
    if (logBytes === 0) return BigInt(view.getUint8(at));
    if (logBytes === 1) return BigInt(view.getUint16(at, true));
    return logBytes === 2 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true);
  }
  store(address: bigint, logBytes: number, value: bigint): void {
    const { view } = this.#memory;
    const at = this.#offset(address);
    if (logBytes === 0) view.setUint8(at, Number(value & 0xffn));
    else if (logBytes === 1) view.setUint16(at, Number(value & 0xffffn), true);
    else if (logBytes === 2) view.setUint32(at, Number(value & 0xffff_ffffn), true);
    else view.setBigUint64(at, value, true);
  }
  atomicAddress = (address: bigint): number => this.#offset(address);
  fetch = (address: bigint): number => this.#offset(address);
  csr = (): bigint => 0n;
  system(operation: number): void {
    assert.equal(systemOperations[operation], "ebreak");
    this.#memory.view.setInt32(hartBase(0) + HartState.signal, Signal.exception, true);
  }
  dropWriteTags(): void {}
}

class Machine {
  readonly memory = new GuestMemory(0x10000, 1);
  readonly #processor: TranslatingProcessor;
  readonly #base = hartBase(0);

  constructor(threshold: number | "never", tlb: boolean) {
    this.#processor = new TranslatingProcessor(this.memory, [new FlatHart(this.memory)], threshold);
    const bank = this.#base + HartState.tlbs;
    const { view } = this.memory;
    view.setInt32(this.#base + HartState.dataTlb, bank, true);
    view.setInt32(this.#base + HartState.fetchTlb, bank, true);
    view.setInt32(this.#base + HartState.floatEnabled, 1, true);
    for (let i = 0; i < TLB_ENTRIES; i++) {
      const entry = bank + i * TLB_ENTRY_BYTES;
      const page = BigInt(RAM_BASE + i * 4096);
      const tag = tlb && i < 16 ? page : -1n;
      for (const kind of [TlbEntry.read, TlbEntry.write, TlbEntry.execute]) view.setBigInt64(entry + kind, tag, true);
      view.setInt32(entry + TlbEntry.addend, (this.memory.ramOffset - RAM_BASE) | 0, true);
    }
  }

  /** Puts an instruction at CODE, and ebreak wherever control may go next. */
  place(word: number, targets: readonly bigint[]): void {
    this.#processor.written(CODE, 0x8000);
    const code = this.memory.writable(CODE, 0x8000)!;
    const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
    for (const target of targets) {
      const at = Number(target) - CODE;
      if (at >= 0 && at < 0x7ffc) view.setUint32(at, EBREAK, true);
    }
    view.setUint32(0x4000, word, true);
  }

  run(state: OracleState): OracleState {
    const { view } = this.memory;
    for (let r = 0; r < 32; r++) {
      view.setBigUint64(this.#base + HartState.x + r * 8, state.x[r]!, true);
      view.setBigUint64(this.#base + HartState.f + r * 8, state.f[r]!, true);
    }
    view.setBigUint64(this.#base + HartState.pc, state.pc, true);
    view.setInt32(this.#base + HartState.frm, state.frm, true);
    view.setInt32(this.#base + HartState.fflags, state.fflags, true);
    view.setBigInt64(this.#base + HartState.reservation, state.reservation ?? -1n, true);
    if (state.reservation !== undefined) {
      view.setBigInt64(
        this.#base + HartState.reservationValue,
        new FlatHart(this.memory).load(state.reservation, 3),
        true,
      );
    }
    view.setInt32(this.#base + HartState.signal, 0, true);
    view.setInt32(this.#base + HartState.budget, 10, true);
    this.#processor.run(0);
    return {
      ...state,
      x: Array.from({ length: 32 }, (_, r) => view.getBigUint64(this.#base + HartState.x + r * 8, true)),
      f: Array.from({ length: 32 }, (_, r) => view.getBigUint64(this.#base + HartState.f + r * 8, true)),
      pc: view.getBigUint64(this.#base + HartState.pc, true),
      fflags: view.getInt32(this.#base + HartState.fflags, true),
    };
  }
}

const START = BigInt(CODE + 0x4000);
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
  { name: "interpreter", machine: new Machine("never", false) },
  { name: "interpreter with TLB", machine: new Machine("never", true) },
  { name: "JIT", machine: new Machine(0, false) },
  { name: "JIT with TLB", machine: new Machine(0, true) },
];

for (const instruction of instructions.filter(isTested)) {
  test(`${instruction.name}: oracle, interpreter and JIT agree (seed ${seed})`, () => {
    const random = generator(seed ^ instruction.match);
    for (const word of encodings(random, instruction)) {
      const decoded = decode(word)!;
      if (decoded.instruction !== instruction) continue;
      const target = BigInt.asUintN(64, START + BigInt(decoded.imm));
      const everywhere = Array.from({ length: 0x1fff }, (_, i) => BigInt(CODE + i * 4));
      const flow = flowOf(instruction);
      const targets = flow === "indirect" ? everywhere : flow === "next" ? [START + 4n] : [START + 4n, target];
      for (const { machine } of machines) machine.place(word, targets);
      for (let i = 0; i < OPERANDS; i++) {
        const start = operands(random, decoded);
        const before = Uint8Array.from({ length: SCRATCH_BYTES }, () => random.below(256));
        const expectedMemory = before.slice();
        const expected: OracleState = { ...start, x: [...start.x], f: [...start.f], memory: flat(expectedMemory) };
        step(expected, decoded);
        for (const { name, machine } of machines) {
          scratch(machine.memory).set(before);
          const found = machine.run(start);
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
