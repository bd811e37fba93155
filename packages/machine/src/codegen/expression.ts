/**
 * Pure expressions of generated code: trees that are emitted where an effect consumes them. A tree used more than once
 * within what an effect consumes is computed once. Values are i64; comparisons are i32 until someone needs 64 bits.
 */
import { type FunctionBuilder, Op, ValueType } from "../wasm/index.ts";

type Kind = "constant" | "leaf" | "operation" | "condition";

export class Expression {
  readonly kind: Kind;
  readonly opcode: number;
  readonly operands: readonly Expression[];
  readonly value: bigint;
  /** Writes a leaf, for example a local or a field of the hart. */
  readonly write: ((b: FunctionBuilder) => void) | undefined;
  #uses = 0;
  #local = -1;

  private constructor(
    kind: Kind,
    opcode: number,
    operands: readonly Expression[],
    value = 0n,
    write?: Expression["write"],
  ) {
    this.kind = kind;
    this.opcode = opcode;
    this.operands = operands;
    this.value = value;
    this.write = write;
    for (const operand of operands) operand.#uses++;
  }

  static constant(value: bigint): Expression {
    return new Expression("constant", 0, [], BigInt.asIntN(64, value));
  }

  /** Something cheap to read again, written by `write` as an i64. */
  static leaf(write: (b: FunctionBuilder) => void): Expression {
    return new Expression("leaf", 0, [], 0n, write);
  }

  static local(index: number): Expression {
    return Expression.leaf((b) => b.get(index));
  }

  /** An i64 result from i64 operands. */
  static operation(opcode: number, ...operands: Expression[]): Expression {
    return new Expression("operation", opcode, operands);
  }

  /** A 0 or 1 from i64 operands, or from a condition if the opcode is `i32.eqz`. */
  static condition(opcode: number, ...operands: Expression[]): Expression {
    return new Expression("condition", opcode, operands);
  }

  isConstant(value: bigint): boolean {
    return this.kind === "constant" && this.value === value;
  }

  /** Leaves the value on the stack as an i64. */
  emit(b: FunctionBuilder): void {
    if (this.kind === "constant") b.i64(this.value);
    else if (this.kind === "leaf") this.write?.(b);
    else if (this.#local >= 0) b.get(this.#local);
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
    } else {
      for (const operand of this.operands) operand.emit(b);
    }
    b.op(this.opcode);
  }
}
