/**
 * Pure expressions of generated code: trees that are emitted where an effect consumes them. A tree used more than once
 * within what an effect consumes is computed once. Values are i64; comparisons and words are i32 until someone needs 64 bits.
 */
import { type FunctionBuilder, Op, ValueType } from "../wasm/index.ts";

type Kind = "constant" | "leaf" | "double" | "single" | "word" | "operation" | "condition";

const LOW_HALF = 0xffff_ffffn;

/** The upper half of a register that holds a single. */
const BOX = -0x1_0000_0000n;
const SIGN = { f32: 0x8000_0000n, f64: -0x8000_0000_0000_0000n } as const;

const NONE: readonly Expression[] = [];

export class Expression {
  readonly kind: Kind;
  readonly opcode: number;
  readonly operands: readonly Expression[];
  /** A constant's value. */
  readonly value: bigint;
  /** The local that a leaf is, or -1. */
  readonly #index: number;
  /** Writes a leaf that is no local, for example a field of the hart. */
  readonly #write: ((b: FunctionBuilder) => void) | undefined;
  #uses = 0;
  #local = -1;
  #fits = false;

  private constructor(
    kind: Kind,
    opcode: number,
    operands: readonly Expression[],
    value = 0n,
    index = -1,
    write?: (b: FunctionBuilder) => void,
  ) {
    this.kind = kind;
    this.opcode = opcode;
    this.operands = operands;
    this.value = value;
    this.#index = index;
    this.#write = write;
    for (const operand of operands) operand.#uses++;
  }

  static constant(value: bigint): Expression {
    return new Expression("constant", 0, NONE, BigInt.asIntN(64, value));
  }

  /** A constant that is an integer of 32 bits. */
  static integer(value: number): Expression {
    return smallConstants[value - LEAST_SMALL] ?? Expression.constant(BigInt(value));
  }

  /** Something cheap to read again, written by `write` as an i64. */
  static leaf(write: (b: FunctionBuilder) => void): Expression {
    return new Expression("leaf", 0, NONE, 0n, -1, write);
  }

  static local(index: number): Expression {
    return new Expression("leaf", 0, NONE, 0n, index);
  }

  /** The 64 bits of a double in a local of its type. */
  static double(index: number): Expression {
    return new Expression("double", 0, NONE, 0n, index);
  }

  /** A boxed single in a local of its type. */
  static single(index: number): Expression {
    return new Expression("single", 0, NONE, 0n, index);
  }

  /** The sign-extended value of an i32 local. */
  static wordLocal(index: number): Expression {
    return new Expression("word", 0, NONE, 0n, index);
  }

  /** The sign-extended i32 result of an operator on the low halves of its operands. */
  static word(opcode: number, ...operands: Expression[]): Expression {
    return new Expression("word", opcode, operands);
  }

  /** An i64 result from i64 operands. */
  static operation(opcode: number, ...operands: Expression[]): Expression {
    return new Expression("operation", opcode, operands);
  }

  /** A 0 or 1 from i64 operands, or from a condition if the opcode is `i32.eqz`. */
  static condition(opcode: number, ...operands: Expression[]): Expression {
    return new Expression("condition", opcode, operands);
  }

  /** Says that the value is a sign-extended word, however it is computed. */
  fitting(): this {
    this.#fits = true;
    return this;
  }

  /** Whether the value is certain to be a sign-extended word. */
  get isWord(): boolean {
    if (this.kind === "constant") return BigInt.asIntN(32, this.value) === this.value;
    return this.#fits || this.kind === "word" || this.kind === "condition";
  }

  isConstant(value: bigint): boolean {
    return this.kind === "constant" && this.value === value;
  }

  /** Whether both are certain to have the same value at the same time. */
  isSame(other: Expression): boolean {
    if (this === other) return true;
    if (this.kind !== other.kind || this.opcode !== other.opcode || this.value !== other.value) return false;
    if (this.#index !== other.#index || this.#write !== undefined) return false;
    return this.operands.every((operand, index) => operand.isSame(other.operands[index]!));
  }

  /** Whether it is known to be a boxed single. */
  get isBoxed(): boolean {
    if (this.kind === "operation" && this.#negates("f32")) return this.operands[0]!.isBoxed;
    return this.kind === "single" || (this.kind === "constant" && this.value >= BOX && this.value < 0n);
  }

  /** The value in a form that is cheap to emit again. */
  held(b: FunctionBuilder): Expression {
    if (this.kind !== "operation" && this.kind !== "condition" && this.kind !== "word") return this;
    if (this.#index >= 0) return this;
    if (this.#negates("f32") || this.#negates("f64")) return this;
    const local = b.temporary(ValueType.i64);
    this.emit(b);
    b.set(local);
    return Expression.local(local);
  }

  /** Leaves the value on the stack as a double. */
  emitDouble(b: FunctionBuilder): void {
    if (this.kind === "double") this.#emitLeaf(b);
    else if (this.#negates("f64")) {
      this.operands[0]!.emitDouble(b);
      b.op(Op.f64_neg);
    } else if (this.#isOnLeaf(Op.i64_and, ~SIGN.f64)) {
      this.operands[0]!.emitDouble(b);
      b.op(Op.f64_abs);
    } else {
      this.emit(b);
      b.op(Op.f64_reinterpret_i64);
    }
  }

  /** Leaves the low half of the value on the stack as a single. */
  emitSingle(b: FunctionBuilder): void {
    if (this.kind === "single") this.#emitLeaf(b);
    else if (this.#negates("f32")) {
      this.operands[0]!.emitSingle(b);
      b.op(Op.f32_neg);
    } else {
      this.emit(b);
      b.op(Op.i32_wrap_i64).op(Op.f32_reinterpret_i32);
    }
  }

  /** Whether it is the change of sign of something that is cheap to emit again. */
  #negates(format: "f32" | "f64"): boolean {
    return this.#isOnLeaf(Op.i64_xor, SIGN[format]);
  }

  #isOnLeaf(opcode: number, constant: bigint): boolean {
    const [value, other] = this.operands;
    if (this.opcode !== opcode || value === undefined || other === undefined) return false;
    return other.isConstant(constant) && value.operands.length === 0;
  }

  #emitLeaf(b: FunctionBuilder): void {
    if (this.#write === undefined) b.get(this.#index);
    else this.#write(b);
  }

  /** Leaves the value on the stack as an i64. */
  emit(b: FunctionBuilder): void {
    if (this.kind === "constant") b.i64(this.value);
    else if (this.kind === "leaf") this.#emitLeaf(b);
    else if (this.kind === "double") {
      this.#emitLeaf(b);
      b.op(Op.i64_reinterpret_f64);
    } else if (this.kind === "single") {
      this.#emitLeaf(b);
      b.op(Op.i32_reinterpret_f32).op(Op.i64_extend_i32_u).i64(BOX).op(Op.i64_or);
    } else if (this.kind === "word") {
      this.emitNarrow(b);
      b.op(Op.i64_extend_i32_s);
    } else if (this.#local >= 0) b.get(this.#local);
    else {
      if (this.kind === "condition") {
        this.#emitOperator(b);
        b.op(Op.i64_extend_i32_u);
      } else this.#emitOperator(b);
      if (this.#uses > 1) {
        this.#local = b.temporary(ValueType.i64);
        b.tee(this.#local);
      }
    }
  }

  /** Leaves the low half of the value on the stack as an i32. */
  emitNarrow(b: FunctionBuilder): void {
    if (this.kind === "constant") b.i32(Number(BigInt.asIntN(32, this.value)));
    else if (this.kind === "word") this.#emitWord(b);
    else if (this.kind === "condition" && this.#local < 0) this.#emitOperator(b);
    else if (this.#local < 0 && (this.opcode === Op.i64_extend32_s || this.isZeroExtendedWord))
      this.operands[0]!.emitNarrow(b);
    else {
      this.emit(b);
      b.op(Op.i32_wrap_i64);
    }
  }

  /** Whether it is the zero-extended low half of its first operand. */
  get isZeroExtendedWord(): boolean {
    return this.opcode === Op.i64_and && this.operands[1]!.isConstant(LOW_HALF);
  }

  #emitWord(b: FunctionBuilder): void {
    if (this.#index >= 0) b.get(this.#index);
    else if (this.#local >= 0) b.get(this.#local);
    else {
      for (const operand of this.operands) operand.emitNarrow(b);
      if (this.opcode !== 0) b.op(this.opcode);
      if (this.#uses > 1) {
        this.#local = b.temporary(ValueType.i32);
        b.tee(this.#local);
      }
    }
  }

  /** Leaves an i32 on the stack that is not 0 exactly if the value is not 0. */
  emitCondition(b: FunctionBuilder): void {
    if (this.kind === "condition" && this.#local < 0) this.#emitOperator(b);
    else {
      this.emit(b);
      b.i64(0n).op(Op.i64_ne);
    }
  }

  #emitOperator(b: FunctionBuilder): void {
    if (this.opcode === Op.select) {
      const [condition, a, otherwise] = this.operands as [Expression, Expression, Expression];
      a.emit(b);
      otherwise.emit(b);
      condition.emitCondition(b);
    } else if (this.opcode === Op.i32_eqz) {
      this.operands[0]!.emitCondition(b);
    } else if (this.kind === "condition" && isWordComparison(this.opcode)) {
      for (const operand of this.operands) operand.emitNarrow(b);
    } else {
      for (const operand of this.operands) operand.emit(b);
    }
    b.op(this.opcode);
  }
}

/** The constants that instructions have as immediates. */
const LEAST_SMALL = -2048;
const smallConstants = Array.from({ length: 4096 }, (_, i) => Expression.constant(BigInt(LEAST_SMALL + i)));

const isWordComparison = (opcode: number): boolean => opcode > Op.i32_eqz && opcode <= Op.i32_ge_u;
