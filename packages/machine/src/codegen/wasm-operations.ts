/**
 * Instruction semantics to WebAssembly: what the interpreter and the JIT share. Where registers live, what an operand
 * field is and how control leaves are the subclasses' business.
 */
import {
  type AccessBytes,
  type AtomicOperation,
  type CsrOperation,
  csrOperations,
  type Fields,
  type FloatOperation,
  type Instruction,
  type Operations,
  type SystemOperation,
  systemOperations,
  type Traits,
  traitsOf,
} from "@bulkhead/isa";
import { HartState, Signal, TlbTag } from "../hart/layout.ts";
import { type FunctionBuilder, Memory, Op, ValueType } from "../wasm/index.ts";
import { type InlineCsr, inlineCsr } from "./csr-inline.ts";
import { Expression } from "./expression.ts";
import { InlineFloat } from "./float-inline.ts";
import { clearedSign, joinedSign } from "./float-sign.ts";
import { emitMulHighSigned, emitMulHighUnsigned } from "./multiply.ts";
import type { RuntimeImports } from "./runtime-functions.ts";
import { emitExpectedAddress, emitHostAddress, emitTagMatch, emitTlbEntry } from "./tlb-probe.ts";
import { combinedWords, comparedWords, signExtendedWord, wordShiftedRight } from "./words.ts";

/** The local that holds the offset of the hart's state: the first parameter of every generated function. */
export const HART = 0;

/** How a load is written: its result's type, its opcode, and what turns the 64 bits of a call-out into the same. */
interface LoadForm {
  readonly type: ValueType;
  readonly opcode: number;
  readonly conversion: readonly number[];
  result(local: number): Expression;
}

const loadForm = (
  type: ValueType,
  opcode: number,
  result: (local: number) => Expression,
  ...conversion: readonly number[]
): LoadForm => ({ type, opcode, conversion, result });

const { i32, i64, f64 } = ValueType;
const fitting = (local: number): Expression => Expression.local(local).fitting();
/** Sign-extended values are words, as V8 would load twice what it extends. */
const wordLoads = {
  1: loadForm(i32, Memory.i32_load8_s, Expression.wordLocal, Op.i32_wrap_i64, Op.i32_extend8_s),
  2: loadForm(i32, Memory.i32_load16_s, Expression.wordLocal, Op.i32_wrap_i64, Op.i32_extend16_s),
  4: loadForm(i32, Memory.i32_load, Expression.wordLocal, Op.i32_wrap_i64),
} as const;
const unsignedLoads = {
  1: loadForm(i64, Memory.i64_load8_u, fitting),
  2: loadForm(i64, Memory.i64_load16_u, fitting),
  4: loadForm(i64, Memory.i64_load32_u, Expression.local),
} as const;
const wideLoad = loadForm(i64, Memory.i64_load, Expression.local);
const doubleLoad = loadForm(f64, Memory.f64_load, Expression.double, Op.f64_reinterpret_i64);
const stores = { 1: Memory.i64_store8, 2: Memory.i64_store16, 4: Memory.i64_store32, 8: Memory.i64_store };
const logBytes = { 1: 0, 2: 1, 4: 2, 8: 3 };

export abstract class WasmOperations<Field> implements Operations<Expression, Field> {
  protected readonly b: FunctionBuilder;
  protected readonly imports: RuntimeImports;
  #entryLocal = -1;
  /** Loads of eight bytes are those of `fld`. */
  #loadsDouble = false;

  constructor(b: FunctionBuilder, imports: RuntimeImports, float: "inline" | "calls") {
    this.b = b;
    this.imports = imports;
    if (float === "calls") return;
    this.inlineFloat = new InlineFloat(b, imports, () => this.system("illegal", this.constant(0n), this.constant(0n)));
  }

  abstract x(register: Field): Expression;
  abstract setX(register: Field, value: Expression): void;
  abstract f(register: Field): Expression;
  abstract setF(register: Field, value: Expression): void;
  abstract isX0(register: Field): Expression;
  abstract immediate(field: Field): Expression;
  abstract pc(): Expression;
  abstract nextPc(): Expression;
  abstract jump(target: Expression): void;
  abstract branch(condition: Expression, target: Expression): void;
  /** Leaves an operand field on the stack as an i32; registers by their number. */
  protected abstract emitField(field: Field): void;
  /** Makes the pc and the budget readable in the hart's state. */
  protected abstract spill(): void;
  /** With a condition on the stack: leaves the generated code with this instruction's pc. */
  protected abstract leaveIf(): void;
  /** Leaves behind this instruction if a call-out signalled anything. */
  protected abstract leaveOnSignal(): void;
  /** Behind a CSR access: the data TLB bank and `floatEnabled` may be others now. */
  protected abstract statusRead(): void;
  /** Goes on with a floating-point instruction only if `mstatus.FS` allows it. */
  protected abstract requireFloat(): void;
  /** Floating-point operations inline; without it all are calls. */
  protected readonly inlineFloat: InlineFloat | undefined;

  /** Emits an instruction: the one way in. */
  instruction(
    instruction: Pick<Instruction, "semantics">,
    fields: Fields<Field>,
    { usesFloat, writes }: Traits = traitsOf(instruction),
  ): void {
    if (usesFloat) this.requireFloat();
    this.#loadsDouble = writes.f.length > 0;
    instruction.semantics(this, fields);
    this.#entryLocal = -1;
    this.b.releaseTemporaries();
  }

  constant = (value: bigint): Expression => Expression.constant(value);

  hold(value: Expression): Expression {
    if (value.kind === "constant") return value;
    const local = this.b.temporary(ValueType.i64);
    value.emit(this.b);
    this.b.set(local);
    return Expression.local(local);
  }

  add(a: Expression, b: Expression): Expression {
    if (a.isConstant(0n)) return b;
    if (b.isConstant(0n)) return a;
    if (a.kind === "constant" && b.kind === "constant") return Expression.constant(a.value + b.value);
    return Expression.operation(Op.i64_add, a, b);
  }
  sub = (a: Expression, b: Expression) => Expression.operation(Op.i64_sub, a, b);
  mul = (a: Expression, b: Expression) => Expression.operation(Op.i64_mul, a, b);
  mulHighSigned = (a: Expression, b: Expression) =>
    this.#product(a, b, (x, y) => emitMulHighSigned(this.b, x, y, "both signed"));
  mulHighUnsigned = (a: Expression, b: Expression) => this.#product(a, b, (x, y) => emitMulHighUnsigned(this.b, x, y));
  mulHighSignedUnsigned = (a: Expression, b: Expression) =>
    this.#product(a, b, (x, y) => emitMulHighSigned(this.b, x, y, "x signed"));
  divUnsigned = (a: Expression, b: Expression) => this.#divide(a, b, Op.i64_div_u, () => this.b.i64(-1n));
  divSigned = (a: Expression, b: Expression) =>
    this.#divide(
      a,
      b,
      Op.i64_div_s,
      () => this.b.i64(-1n),
      (dividend) => this.b.i64(0n).get(dividend).op(Op.i64_sub),
    );
  remUnsigned = (a: Expression, b: Expression) => this.#divide(a, b, Op.i64_rem_u, (dividend) => this.b.get(dividend));
  remSigned = (a: Expression, b: Expression) =>
    this.#divide(
      a,
      b,
      Op.i64_rem_s,
      (dividend) => this.b.get(dividend),
      () => this.b.i64(0n),
    );

  and = (a: Expression, b: Expression) => bitwise(Op.i64_and, a, b);
  or = (a: Expression, b: Expression) => joinedSign(a, b) ?? bitwise(Op.i64_or, a, b);
  xor = (a: Expression, b: Expression) => clearedSign(a, b) ?? bitwise(Op.i64_xor, a, b);
  shiftLeft = (a: Expression, amount: Expression) => Expression.operation(Op.i64_shl, a, amount);
  shiftRightUnsigned = (a: Expression, amount: Expression) => Expression.operation(Op.i64_shr_u, a, amount);
  shiftRightSigned = (a: Expression, amount: Expression) =>
    wordShiftedRight(a, amount) ?? Expression.operation(Op.i64_shr_s, a, amount);
  rotateRight = (a: Expression, amount: Expression) => Expression.operation(Op.i64_rotr, a, amount);
  signExtend(bits: 8 | 16 | 32, a: Expression): Expression {
    if (a.kind === "constant") return Expression.constant(BigInt.asIntN(bits, a.value));
    if (bits === 32) return signExtendedWord(a);
    return Expression.operation(bits === 8 ? Op.i64_extend8_s : Op.i64_extend16_s, a).fitting();
  }
  zeroExtend = (bits: 8 | 16 | 32, a: Expression) => this.and(a, this.constant((1n << BigInt(bits)) - 1n));
  countLeadingZeros = (a: Expression) => Expression.operation(Op.i64_clz, a);
  countTrailingZeros = (a: Expression) => Expression.operation(Op.i64_ctz, a);
  populationCount = (a: Expression) => Expression.operation(Op.i64_popcnt, a);
  carrylessMul = (a: Expression, b: Expression) => this.#callRuntime("carrylessMul", a, b);
  carrylessMulHigh = (a: Expression, b: Expression) => this.#callRuntime("carrylessMulHigh", a, b);

  equal(a: Expression, b: Expression): Expression {
    if (b.isConstant(0n)) {
      if (a.kind === "condition") return Expression.condition(Op.i32_eqz, a);
      return comparedWords(Op.i64_eq, a, b) ?? Expression.condition(Op.i64_eqz, a);
    }
    return compare(Op.i64_eq, a, b);
  }
  lessSigned = (a: Expression, b: Expression) => compare(Op.i64_lt_s, a, b);
  lessUnsigned = (a: Expression, b: Expression) => compare(Op.i64_lt_u, a, b);
  select = (condition: Expression, a: Expression, b: Expression) => Expression.operation(Op.select, condition, a, b);

  /** Whether accesses are to be calls: code that seldom runs is to be short. */
  protected get isShort(): boolean {
    return false;
  }

  load(bytes: AccessBytes, extension: "signed" | "unsigned", address: Expression): Expression {
    if (this.isShort) return this.#shortLoad(bytes, extension, address);
    const { b } = this;
    const at = this.#local(address);
    const form = this.#loadForm(bytes, extension);
    const value = b.temporary(form.type);
    this.#probeTlb(at, bytes, TlbTag.read);
    b.hint("likely").if(form.type);
    const expected = this.expectedAddend;
    if (expected === undefined) emitHostAddress(b, at, this.#entryLocal, TlbTag.read);
    else emitExpectedAddress(b, at, this.#entryLocal, TlbTag.read, expected);
    b.memory(form.opcode).else();
    b.get(HART).get(at).i32(logBytes[bytes]).call(this.imports.callout("load"));
    for (const opcode of form.conversion) b.op(opcode);
    this.leaveOnException();
    b.end().set(value);
    return form.result(value);
  }

  #loadForm(bytes: AccessBytes, extension: "signed" | "unsigned"): LoadForm {
    if (bytes === 8) return this.#loadsDouble ? doubleLoad : wideLoad;
    return extension === "signed" ? wordLoads[bytes] : unsignedLoads[bytes];
  }

  #shortLoad(bytes: AccessBytes, extension: "signed" | "unsigned", address: Expression): Expression {
    const { b } = this;
    const value = b.temporary(ValueType.i64);
    b.get(HART);
    address.emit(b);
    b.call(this.imports.runtime(`load${bytes}`));
    if (extension === "signed" && bytes < 8) {
      b.op({ 1: Op.i64_extend8_s, 2: Op.i64_extend16_s, 4: Op.i64_extend32_s }[bytes as 1 | 2 | 4]);
    }
    b.set(value);
    this.leaveOnException();
    const loaded = Expression.local(value);
    return bytes < 4 || (bytes === 4 && extension === "signed") ? loaded.fitting() : loaded;
  }

  store(bytes: AccessBytes, address: Expression, value: Expression): void {
    const { b } = this;
    if (this.isShort) {
      b.get(HART);
      address.emit(b);
      value.emit(b);
      b.call(this.imports.runtime(`store${bytes}`));
      this.leaveOnSignal();
      return;
    }
    const at = this.#local(address);
    const stored = value.held(b);
    this.#probeTlb(at, bytes, TlbTag.write);
    b.hint("likely").if();
    emitHostAddress(b, at, this.#entryLocal, TlbTag.write);
    if (bytes === 8 && stored.kind === "double") {
      stored.emitDouble(b);
      b.memory(Memory.f64_store);
    } else {
      stored.emit(b);
      b.memory(stores[bytes]);
    }
    b.else();
    b.get(HART).get(at).i32(logBytes[bytes]);
    stored.emit(b);
    b.call(this.imports.callout("store"));
    this.leaveOnSignal();
    b.end();
  }

  loadReserved = (bytes: 4 | 8, address: Expression) => this.#callAtomic(`loadReserved${bytes}`, address);
  storeConditional = (bytes: 4 | 8, address: Expression, value: Expression) =>
    this.#callAtomic(`storeConditional${bytes}`, address, value);
  atomic = (operation: AtomicOperation, bytes: 4 | 8, address: Expression, value: Expression) =>
    this.#callAtomic(`${operation}${bytes}`, address, value);
  compareExchange = (bytes: 4 | 8, address: Expression, expected: Expression, desired: Expression) =>
    this.#callAtomic(`compareExchange${bytes}`, address, expected, desired);

  compareExchangePair(rd: Field, rs2: Field, address: Expression): void {
    const { b } = this;
    this.spill();
    b.get(HART);
    address.emit(b);
    this.emitField(rd);
    this.emitField(rs2);
    b.call(this.imports.runtime("compareExchangePair"));
    this.leaveOnException();
  }

  /** Orders accesses for other harts; devices are called, and calls are in order anyway. */
  fence(): void {
    if (this.imports.harts === "several") this.b.atomicFence();
  }

  csr(operation: CsrOperation, rd: Field, csr: Field, source: Field, value: Expression): void {
    const { b } = this;
    const old = b.temporary(ValueType.i64);
    const operand = this.hold(value);
    const inline = this.#knownCsr(operation, rd, csr, source, operand);
    if (inline === undefined) {
      this.#callCsr(operation, rd, csr, source, operand, old);
    } else {
      inline.emitIsForHart(b);
      b.hint("unlikely").if();
      this.#callCsr(operation, rd, csr, source, operand, old);
      b.else();
      inline.emitAccess(b, old);
      b.end();
    }
    this.setX(rd, Expression.local(old));
    if (inline?.mayLeave ?? true) this.leaveOnSignal();
    if (inline === undefined) this.statusRead();
  }

  /** The inline form of a CSR access, if its fields are known and it has one. */
  #knownCsr(operation: CsrOperation, rd: Field, csr: Field, source: Field, value: Expression): InlineCsr | undefined {
    const [number, unread, unwritten] = [this.immediate(csr), this.isX0(rd), this.isX0(source)];
    if ([number, unread, unwritten].some(({ kind }) => kind !== "constant")) return undefined;
    return inlineCsr({
      number: Number(number.value) & 0xfff,
      operation,
      reads: unread.value === 0n,
      writes: operation === "write" || unwritten.value === 0n,
      value,
    });
  }

  #callCsr(operation: CsrOperation, rd: Field, csr: Field, source: Field, operand: Expression, old: number): void {
    const { b } = this;
    this.spill();
    b.get(HART);
    this.emitField(csr);
    b.i32(csrOperations.indexOf(operation));
    this.isX0(rd).emitCondition(b);
    this.isX0(source).emitCondition(b);
    b.i32(1).op(Op.i32_shl).op(Op.i32_or);
    operand.emit(b);
    b.call(this.imports.callout("csr")).set(old);
    // It may also have signalled `leave`, and then the instruction is to be completed first.
    b.get(HART).memory(Memory.i32_load, HartState.signal).i32(Signal.exception).op(Op.i32_eq);
    this.leaveIf();
  }

  system(operation: SystemOperation, first: Expression, second: Expression): void {
    const { b } = this;
    const [a, c] = [this.hold(first), this.hold(second)];
    this.spill();
    b.get(HART).i32(systemOperations.indexOf(operation));
    a.emit(b);
    c.emit(b);
    b.call(this.imports.callout("system"));
    this.leaveOnSignal();
  }

  float(operation: FloatOperation, rounding: Field | undefined, ...operands: (Expression | undefined)[]): Expression {
    const { b } = this;
    const present = operands.filter((operand) => operand !== undefined);
    const inline = this.inlineFloat?.emit(operation, rounding as number | undefined, present);
    if (inline !== undefined) return inline;
    b.get(HART);
    if (rounding === undefined) b.i32(0);
    else this.emitField(rounding);
    for (const operand of present) operand.emit(b);
    const result = b.temporary(ValueType.i64);
    b.call(this.imports.float(operation)).set(result);
    if (rounding !== undefined) this.leaveOnException();
    return Expression.local(result);
  }

  /** For call-outs that signal nothing but exceptions. */
  protected leaveOnException(): void {
    this.b.get(HART).memory(Memory.i32_load, HartState.signal);
    this.leaveIf();
  }

  /** Leaves on the stack whether the TLB allows the access; the entry's offset stays in a local. */
  #probeTlb(address: number, bytes: AccessBytes, tag: number): void {
    const { b } = this;
    if (this.#entryLocal < 0) this.#entryLocal = b.temporary(ValueType.i32);
    emitTlbEntry(b, address, this.#entryLocal, () => this.emitDataTlb());
    b.memory(Memory.i64_load, tag);
    emitTagMatch(b, address, bytes);
  }

  /** An i32 local with what the TLB probably says to add to the address of the current instruction, see `emitExpectedAddress`. */
  protected get expectedAddend(): number | undefined {
    return undefined;
  }

  /** Offset of the data TLB bank in the wasm memory. */
  protected emitDataTlb(): void {
    this.b.get(HART).memory(Memory.i32_load, HartState.dataTlb);
  }

  #callRuntime(name: string, ...operands: Expression[]): Expression {
    for (const operand of operands) operand.emit(this.b);
    const result = this.b.temporary(ValueType.i64);
    this.b.call(this.imports.runtime(name)).set(result);
    return Expression.local(result);
  }

  #callAtomic(name: string, ...operands: Expression[]): Expression {
    const { b } = this;
    b.get(HART);
    for (const operand of operands) operand.emit(b);
    const result = b.temporary(ValueType.i64);
    b.call(this.imports.runtime(name)).set(result);
    this.leaveOnException();
    return Expression.local(result);
  }

  /** A product of two locals, in a local. */
  #product(a: Expression, b: Expression, emit: (x: number, y: number) => void): Expression {
    const [x, y] = [this.#local(a), this.#local(b)];
    const result = this.b.temporary(ValueType.i64);
    emit(x, y);
    this.b.set(result);
    return Expression.local(result);
  }

  /** Division or remainder with RISC-V's results where WebAssembly would trap. */
  #divide(
    a: Expression,
    b: Expression,
    opcode: number,
    byZero: (dividend: number) => void,
    byMinusOne?: (dividend: number) => void,
  ): Expression {
    const dividend = this.#local(a);
    const divisor = this.#local(b);
    const result = this.b.temporary(ValueType.i64);
    this.b.get(divisor).op(Op.i64_eqz).if(ValueType.i64);
    byZero(dividend);
    this.b.else();
    if (byMinusOne !== undefined) {
      this.b.get(divisor).i64(-1n).op(Op.i64_eq).if(ValueType.i64);
      byMinusOne(dividend);
      this.b.else();
    }
    this.b.get(dividend).get(divisor).op(opcode);
    if (byMinusOne !== undefined) this.b.end();
    this.b.end().set(result);
    return Expression.local(result);
  }

  #local(value: Expression): number {
    const local = this.b.temporary(ValueType.i64);
    value.emit(this.b);
    this.b.set(local);
    return local;
  }
}

const bitwise = (opcode: number, a: Expression, b: Expression): Expression => {
  const word = combinedWords(opcode, a, b);
  if (word !== undefined) return word;
  const operation = Expression.operation(opcode, a, b);
  return a.isWord && b.isWord ? operation.fitting() : operation;
};

const compare = (opcode: number, a: Expression, b: Expression): Expression =>
  comparedWords(opcode, a, b) ?? Expression.condition(opcode, a, b);
