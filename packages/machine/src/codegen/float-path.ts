/**
 * One floating-point operation of translated code under construction: a fast path that computes a result inline, a
 * condition under which it does not hold, and behind that the call of the exact function. Operands are read more than once.
 */
import { type FunctionBuilder, Op, ValueType } from "../wasm/index.ts";
import { Expression } from "./expression.ts";
import type { FloatGuard, NativeFormat } from "./float-guard.ts";

/** The local with the offset of the hart's state, in every generated function. */
const HART = 0;
/** Registers from this on, as unsigned numbers, hold boxed singles. */
export const BOX = -0x1_0000_0000n;

export class FloatPath {
  readonly b: FunctionBuilder;
  readonly guard: FloatGuard;
  /** The instruction's rm field; `undefined` where it has none. */
  readonly mode: number | undefined;
  readonly #operands: readonly Expression[];
  /** Index of the exact function. */
  readonly #exact: number;

  constructor(b: FunctionBuilder, guard: FloatGuard, exact: number, mode: number | undefined, operands: Expression[]) {
    this.b = b;
    this.guard = guard;
    this.mode = mode;
    this.#exact = exact;
    this.#operands = operands.map((operand) => operand.held(b));
  }

  /** Pushes an operand as the 64 bits of its register. */
  register(index: number): FunctionBuilder {
    this.#operands[index]!.emit(this.b);
    return this.b;
  }

  /** Pushes an operand as a number. */
  operand(format: NativeFormat, index: number): FunctionBuilder {
    const operand = this.#operands[index]!;
    if (format === "f64") operand.emitDouble(this.b);
    else operand.emitSingle(this.b);
    return this.b;
  }

  operands(format: NativeFormat): FunctionBuilder {
    for (let index = 0; index < this.#operands.length; index++) this.operand(format, index);
    return this.b;
  }

  /** With a condition on the stack, pushes whether it is true or an operand of single precision is not boxed. */
  orUnboxed(format: NativeFormat): FunctionBuilder {
    const { b } = this;
    if (this.pushUnboxed(format)) b.op(Op.i32_or);
    return b;
  }

  /** Pushes whether an operand of single precision is not boxed, unless it is known that all are. */
  pushUnboxed(format: NativeFormat): boolean {
    const { b } = this;
    const doubtful = format === "f64" ? [] : this.#operands.filter((operand) => !operand.isBoxed);
    if (doubtful.length === 0) return false;
    for (const [index, operand] of doubtful.entries()) {
      operand.emit(b);
      if (index > 0) b.op(Op.i64_and);
    }
    b.i64(BOX).op(Op.i64_lt_u);
    return true;
  }

  /** With a condition on the stack: if it is true, the exact function gives the result, which `take` gets as a register. */
  exactIf(take: () => void): void {
    const { b } = this;
    b.hint("unlikely").if();
    b.get(HART).i32(this.mode ?? 0);
    for (let index = 0; index < this.#operands.length; index++) this.register(index);
    b.call(this.#exact);
    take();
    b.end();
  }

  /** The same for a number in a local; gives the operation's result. */
  number(format: NativeFormat, value: number): Expression {
    const { b } = this;
    this.exactIf(() => {
      if (format === "f64") b.op(Op.f64_reinterpret_i64);
      else b.op(Op.i32_wrap_i64).op(Op.f32_reinterpret_i32);
      b.set(value);
    });
    return format === "f64" ? Expression.double(value) : Expression.single(value);
  }

  /** The same for a local with an integer register. */
  integer(value: number): Expression {
    this.exactIf(() => this.b.set(value));
    return Expression.local(value);
  }

  temporary(format: NativeFormat): number {
    return this.b.temporary(ValueType[format]);
  }
}
