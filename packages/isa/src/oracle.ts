/**
 * The oracle: instruction semantics evaluated in BigInt, written for plainness. Tests hold the interpreter and the JIT
 * against it. It has no privileged state: a CSR access or a system operation is recorded for the caller to judge.
 */

import type { Decoded } from "./decode.ts";
import { evaluateFloat } from "./float/index.ts";
import type { Fields } from "./instruction.ts";
import type { AtomicOperation, Operations, SystemOperation } from "./operations.ts";

export interface OracleState {
  /** Registers as unsigned 64-bit values; `x[0]` stays 0. */
  readonly x: bigint[];
  readonly f: bigint[];
  pc: bigint;
  fflags: number;
  frm: number;
  reservation: bigint | undefined;
  readonly memory: OracleMemory;
}

/** Little-endian memory; a fault is thrown by the caller's implementation and passes through `step`. */
export interface OracleMemory {
  load(bytes: number, address: bigint): bigint;
  store(bytes: number, address: bigint, value: bigint): void;
}

export type OracleEvent = { readonly kind: "system"; readonly operation: SystemOperation } | { readonly kind: "csr" };

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const truth = (condition: boolean): bigint => (condition ? 1n : 0n);

/** Executes one instruction; what it asks of its environment comes back as an event. */
export function step(state: OracleState, decoded: Decoded): OracleEvent | undefined {
  const operations = new OracleOperations(state, decoded);
  decoded.instruction.semantics(operations, decoded as Fields<number>);
  state.x[0] = 0n;
  if (operations.event === undefined) state.pc = operations.next;
  return operations.event;
}

class OracleOperations implements Operations<bigint, number> {
  readonly #state: OracleState;
  readonly #length: bigint;
  next: bigint;
  event: OracleEvent | undefined;

  constructor(state: OracleState, decoded: Decoded) {
    this.#state = state;
    this.#length = BigInt(decoded.length);
    this.next = u64(state.pc + this.#length);
  }

  x = (register: number) => this.#state.x[register]!;
  setX = (register: number, value: bigint) => {
    if (register !== 0 && this.event === undefined) this.#state.x[register] = u64(value);
  };
  f = (register: number) => this.#state.f[register]!;
  setF = (register: number, value: bigint) => {
    if (this.event === undefined) this.#state.f[register] = u64(value);
  };
  isX0 = (register: number) => truth(register === 0);
  immediate = (field: number) => u64(BigInt(field));
  constant = (value: bigint) => u64(value);
  hold = (value: bigint) => value;
  pc = () => this.#state.pc;
  nextPc = () => u64(this.#state.pc + this.#length);

  add = (a: bigint, b: bigint) => u64(a + b);
  sub = (a: bigint, b: bigint) => u64(a - b);
  mul = (a: bigint, b: bigint) => u64(a * b);
  mulHighSigned = (a: bigint, b: bigint) => u64((s64(a) * s64(b)) >> 64n);
  mulHighUnsigned = (a: bigint, b: bigint) => (a * b) >> 64n;
  mulHighSignedUnsigned = (a: bigint, b: bigint) => u64((s64(a) * b) >> 64n);
  divSigned = (a: bigint, b: bigint) => (b === 0n ? u64(-1n) : u64(s64(a) / s64(b)));
  divUnsigned = (a: bigint, b: bigint) => (b === 0n ? u64(-1n) : a / b);
  remSigned = (a: bigint, b: bigint) => (b === 0n ? a : u64(s64(a) % s64(b)));
  remUnsigned = (a: bigint, b: bigint) => (b === 0n ? a : a % b);

  and = (a: bigint, b: bigint) => a & b;
  or = (a: bigint, b: bigint) => a | b;
  xor = (a: bigint, b: bigint) => a ^ b;
  shiftLeft = (a: bigint, amount: bigint) => u64(a << (amount & 63n));
  shiftRightUnsigned = (a: bigint, amount: bigint) => a >> (amount & 63n);
  shiftRightSigned = (a: bigint, amount: bigint) => u64(s64(a) >> (amount & 63n));
  rotateRight = (a: bigint, amount: bigint) => u64((a >> (amount & 63n)) | (a << (64n - (amount & 63n))));
  signExtend = (bits: 8 | 16 | 32, a: bigint) => u64(BigInt.asIntN(bits, a));
  zeroExtend = (bits: 8 | 16 | 32, a: bigint) => BigInt.asUintN(bits, a);
  countLeadingZeros = (a: bigint) => (a === 0n ? 64n : 64n - BigInt(a.toString(2).length));
  countTrailingZeros = (a: bigint) => (a === 0n ? 64n : BigInt((a & -a).toString(2).length - 1));
  populationCount = (a: bigint) => BigInt(a.toString(2).replaceAll("0", "").length);
  carrylessMul = (a: bigint, b: bigint) => u64(carrylessProduct(a, b));
  carrylessMulHigh = (a: bigint, b: bigint) => carrylessProduct(a, b) >> 64n;

  equal = (a: bigint, b: bigint) => truth(a === b);
  lessSigned = (a: bigint, b: bigint) => truth(s64(a) < s64(b));
  lessUnsigned = (a: bigint, b: bigint) => truth(a < b);
  select = (condition: bigint, a: bigint, b: bigint) => (condition === 0n ? b : a);

  load = (bytes: number, extension: "signed" | "unsigned", address: bigint) => {
    const value = this.#state.memory.load(bytes, address);
    return extension === "signed" ? u64(BigInt.asIntN(bytes * 8, value)) : value;
  };
  store = (bytes: number, address: bigint, value: bigint) =>
    this.#state.memory.store(bytes, address, BigInt.asUintN(bytes * 8, value));
  loadReserved = (bytes: 4 | 8, address: bigint) => {
    this.#state.reservation = address;
    return this.load(bytes, "signed", address);
  };
  storeConditional = (bytes: 4 | 8, address: bigint, value: bigint) => {
    const held = this.#state.reservation === address;
    if (held) this.store(bytes, address, value);
    this.#state.reservation = undefined;
    return truth(!held);
  };
  atomic = (operation: AtomicOperation, bytes: 4 | 8, address: bigint, value: bigint) => {
    const old = this.load(bytes, "signed", address);
    const operand = u64(BigInt.asIntN(bytes * 8, value));
    this.store(bytes, address, combine[operation](old, operand));
    return old;
  };
  compareExchange = (bytes: 4 | 8, address: bigint, expected: bigint, desired: bigint) => {
    const old = this.load(bytes, "signed", address);
    if (old === u64(BigInt.asIntN(bytes * 8, expected))) this.store(bytes, address, desired);
    return old;
  };
  compareExchangePair = (rd: number, rs2: number, address: bigint) => {
    if (((rd | rs2) & 1) !== 0) {
      this.system("illegal");
      return;
    }
    const old = [this.#state.memory.load(8, address), this.#state.memory.load(8, u64(address + 8n))];
    const pair = (register: number) => (register === 0 ? [0n, 0n] : [this.x(register), this.x(register + 1)]);
    const [expected, desired] = [pair(rd), pair(rs2)];
    if (old[0] === expected[0] && old[1] === expected[1]) {
      this.store(8, address, desired[0]!);
      this.store(8, u64(address + 8n), desired[1]!);
    }
    if (rd === 0) return;
    this.setX(rd, old[0]!);
    this.setX(rd + 1, old[1]!);
  };
  fence = () => {};

  jump = (target: bigint) => {
    this.next = u64(target);
  };
  branch = (condition: bigint, target: bigint) => {
    if (condition !== 0n) this.next = u64(target);
  };

  csr = () => {
    this.event = { kind: "csr" };
  };
  system = (operation: SystemOperation) => {
    this.event = { kind: "system", operation };
  };
  float = (operation: Parameters<typeof evaluateFloat>[0], rounding: number | undefined, a: bigint, b = 0n, c = 0n) => {
    const mode = rounding === 7 ? this.#state.frm : (rounding ?? 0);
    if (mode > 4) {
      this.system("illegal");
      return 0n;
    }
    const { value, flags } = evaluateFloat(operation, mode, a, b, c);
    this.#state.fflags |= flags;
    return value;
  };
}

const combine: Record<AtomicOperation, (a: bigint, b: bigint) => bigint> = {
  swap: (_, b) => b,
  add: (a, b) => a + b,
  xor: (a, b) => a ^ b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  min: (a, b) => (s64(a) < s64(b) ? a : b),
  max: (a, b) => (s64(a) < s64(b) ? b : a),
  minu: (a, b) => (a < b ? a : b),
  maxu: (a, b) => (a < b ? b : a),
};

function carrylessProduct(a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let i = 0n; i < 64n; i++) if ((b >> i) & 1n) product ^= a << i;
  return product;
}
