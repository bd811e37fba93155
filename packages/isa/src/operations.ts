/**
 * The abstract operations over which every instruction's semantics is declared.
 *
 * `Value` is one 64-bit quantity and `Field` one operand field of the instruction: numbers in the oracle and the
 * JIT, run-time loads in the interpreter. A semantics therefore never looks into either; it only combines them.
 * Back ends: `oracle.ts` (BigInt), and in `@bulkhead/machine` the interpreter and the JIT (WebAssembly).
 *
 * Values are pure trees and may be used more than once. Effects happen in the order in which they are declared,
 * and a tree is evaluated where an effect consumes it. `hold` evaluates a tree at once.
 */
import type { FloatOperation } from "./float/operations.ts";

export interface Operations<Value, Field> {
  /** Integer register; `x0` reads 0 and ignores writes. */
  x(register: Field): Value;
  setX(register: Field, value: Value): void;
  /** Floating-point register as its 64 raw bits, narrower data NaN-boxed. */
  f(register: Field): Value;
  setF(register: Field, value: Value): void;
  /** 1 if the field names `x0`, else 0. */
  isX0(register: Field): Value;
  /** Immediate field, sign-extended to 64 bits as its format says. */
  immediate(field: Field): Value;
  constant(value: bigint): Value;
  /** Evaluates `value` now, so that later effects cannot change it. */
  hold(value: Value): Value;
  /** Address of this instruction, and of the one behind it (2 or 4 bytes on). */
  pc(): Value;
  nextPc(): Value;

  add(a: Value, b: Value): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  mulHighSigned(a: Value, b: Value): Value;
  mulHighUnsigned(a: Value, b: Value): Value;
  mulHighSignedUnsigned(a: Value, b: Value): Value;
  /** Division with RISC-V's results for a zero divisor and for overflow. */
  divSigned(a: Value, b: Value): Value;
  divUnsigned(a: Value, b: Value): Value;
  remSigned(a: Value, b: Value): Value;
  remUnsigned(a: Value, b: Value): Value;

  and(a: Value, b: Value): Value;
  or(a: Value, b: Value): Value;
  xor(a: Value, b: Value): Value;
  /** Shifts and rotations take their amount modulo 64. */
  shiftLeft(a: Value, amount: Value): Value;
  shiftRightUnsigned(a: Value, amount: Value): Value;
  shiftRightSigned(a: Value, amount: Value): Value;
  rotateRight(a: Value, amount: Value): Value;
  /** The low `bits` bits, extended to 64. */
  signExtend(bits: 8 | 16 | 32, a: Value): Value;
  zeroExtend(bits: 8 | 16 | 32, a: Value): Value;
  countLeadingZeros(a: Value): Value;
  countTrailingZeros(a: Value): Value;
  populationCount(a: Value): Value;
  /** Low and high 64 bits of the 127-bit carry-less product. */
  carrylessMul(a: Value, b: Value): Value;
  carrylessMulHigh(a: Value, b: Value): Value;

  /** Comparisons give 0 or 1. */
  equal(a: Value, b: Value): Value;
  lessSigned(a: Value, b: Value): Value;
  lessUnsigned(a: Value, b: Value): Value;
  /** `a` where `condition` is not 0, else `b`; both are evaluated. */
  select(condition: Value, a: Value, b: Value): Value;

  /** Memory access; may raise a fault, which ends the instruction before any later effect. */
  load(bytes: AccessBytes, extension: "signed" | "unsigned", address: Value): Value;
  store(bytes: AccessBytes, address: Value, value: Value): void;
  loadReserved(bytes: 4 | 8, address: Value): Value;
  /** 0 when the store happened, 1 when the reservation was lost. */
  storeConditional(bytes: 4 | 8, address: Value, value: Value): Value;
  /** Atomic read-modify-write; gives the old value, sign-extended. */
  atomic(operation: AtomicOperation, bytes: 4 | 8, address: Value, value: Value): Value;
  /** Stores `desired` if memory holds `expected` (low `bytes`); gives the old value, sign-extended. */
  compareExchange(bytes: 4 | 8, address: Value, expected: Value, desired: Value): Value;
  /** AMOCAS.Q: compares and writes the even/odd register pairs `rd` and `rs2` at a 16-byte-aligned address. */
  compareExchangePair(rd: Field, rs2: Field, address: Value): void;
  fence(): void;

  /** Leaves for `target`, whose bit 0 is already clear. The last effect of its instruction. */
  jump(target: Value): void;
  /** Leaves for `target` if `condition` is not 0, else goes on with the next instruction. */
  branch(condition: Value, target: Value): void;

  /** Reads the CSR into `rd` and updates it; `rd` = x0 or `source` = 0 suppress the read or write as Zicsr says. */
  csr(operation: CsrOperation, rd: Field, csr: Field, source: Field, value: Value): void;
  /** Privileged or environment operation; may raise an exception or move the pc. The last effect of its instruction. */
  system(operation: SystemOperation, a: Value, b: Value): void;
  /**
   * IEEE-754 operation on registers as they are: NaN boxing and the sign extension of 32-bit integers are the operation's
   * business. Accrues `fflags`. `rounding` is the rm field; an invalid mode is an illegal instruction.
   */
  float(operation: FloatOperation, rounding: Field | undefined, a: Value, b?: Value, c?: Value): Value;
}

export type AccessBytes = 1 | 2 | 4 | 8;

export const atomicOperations = ["swap", "add", "xor", "and", "or", "min", "max", "minu", "maxu"] as const;
export type AtomicOperation = (typeof atomicOperations)[number];

export const csrOperations = ["write", "set", "clear"] as const;
export type CsrOperation = (typeof csrOperations)[number];

/**
 * Operands: sfence.vma and sinval.vma take (address, asid), where -1 means all; the cache-block operations take
 * (address, 0); `fence.i` and the others take (0, 0).
 */
export const systemOperations = [
  "ecall",
  "ebreak",
  "mret",
  "sret",
  "wfi",
  "wrs.nto",
  "wrs.sto",
  "fence.i",
  "sfence.vma",
  "sinval.vma",
  "sfence.w.inval",
  "sfence.inval.ir",
  "cbo.inval",
  "cbo.clean",
  "cbo.flush",
  "cbo.zero",
  "illegal",
] as const;
export type SystemOperation = (typeof systemOperations)[number];

export type { FloatOperation };
