/**
 * One function of the floating-point module under construction: a fast path inside a block, and behind it the call of
 * the slow path. A fast path returns only results whose value and flags are certain; `leaveIf` and `leaveUnless`
 * abandon it. Parameters: the hart's state, the instruction's rm field, and one to three registers.
 */
import { DYNAMIC_ROUNDING, FloatFlag, type FormatName } from "@bulkhead/isa";
import { HartState } from "../hart/layout.ts";
import { type FunctionBuilder, type Label, Memory, Op, ValueType } from "../wasm/index.ts";

const { i32 } = ValueType;
const [HART, RM, FIRST_OPERAND] = [0, 1, 2];

/** The formats that WebAssembly computes in. */
export type NativeFormat = "f32" | "f64";

/** Smallest magnitude that is treated as normal: twice the smallest normal number, clear of tininess before rounding. */
export const least = { f32: 2 ** -125, f64: 2 ** -1021 } as const;

/** Registers from this on, as unsigned numbers, are boxed. */
const boxes = { f16: -0x1_0000n, f32: -0x1_0000_0000n } as const;

export class Routine {
  readonly b: FunctionBuilder;
  readonly #arity: number;
  readonly #slow: Label;

  constructor(b: FunctionBuilder, arity: number) {
    this.b = b;
    this.#arity = arity;
    this.#slow = b.block();
  }

  /** Ends the fast path and appends the slow one; `operation` is its number. */
  finish(soft: number, operation: number): void {
    const { b } = this;
    b.end();
    b.get(HART).i32(operation).get(RM);
    for (let i = 0; i < 3; i++) {
      if (i < this.#arity) this.register(i);
      else b.i64(0n);
    }
    b.call(soft);
  }

  /** Takes an i32 condition. */
  leaveIf(): void {
    this.b.brIf(this.#slow);
  }

  leaveUnless(): void {
    this.b.op(Op.i32_eqz);
    this.leaveIf();
  }

  leave(): void {
    this.b.br(this.#slow);
  }

  /** An operand as the 64 bits of its register. */
  register(index: number): FunctionBuilder {
    return this.b.get(FIRST_OPERAND + index);
  }

  /** Leaves unless every operand is boxed. */
  requireBoxes(format: FormatName): void {
    if (format === "f64") return;
    this.register(0);
    for (let i = 1; i < this.#arity; i++) this.register(i).op(Op.i64_and);
    this.b.i64(boxes[format]).op(Op.i64_lt_u);
    this.leaveIf();
  }

  /** Locals of the format's type with the operands, which are boxed. */
  operands(format: NativeFormat): number[] {
    this.requireBoxes(format);
    return Array.from({ length: this.#arity }, (_, index) => {
      const local = this.b.local(ValueType[format]);
      this.register(index);
      if (format === "f64") this.b.op(Op.f64_reinterpret_i64);
      else this.b.op(Op.i32_wrap_i64).op(Op.f32_reinterpret_i32);
      this.b.set(local);
      return local;
    });
  }

  /** Pushes the rounding mode; 5 and more are invalid and the slow path's business. */
  mode(): FunctionBuilder {
    const { b } = this;
    b.get(HART).memory(Memory.i32_load, HartState.frm).get(RM);
    return b.get(RM).i32(DYNAMIC_ROUNDING).op(Op.i32_eq).op(Op.select);
  }

  /** Leaves unless results are rounded to nearest, ties to even: mode 0, as WebAssembly rounds. */
  requireNearestEven(): void {
    this.mode();
    this.leaveIf();
  }

  /** Local with a valid rounding mode. */
  validMode(): number {
    const local = this.b.local(i32);
    this.mode().tee(local).i32(4).op(Op.i32_gt_u);
    this.leaveIf();
    return local;
  }

  /** Leaves unless the number is finite. */
  requireFinite(format: NativeFormat, local: number): void {
    this.b.get(local).op(Op[`${format}_abs`])[format](Infinity).op(Op[`${format}_lt`]);
    this.leaveUnless();
  }

  /** Pushes whether the magnitude is below `least`. */
  isTiny(format: NativeFormat, local: number): FunctionBuilder {
    return this.b.get(local).op(Op[`${format}_abs`])[format](least[format]).op(Op[`${format}_lt`]);
  }

  /** Pushes whether a number is zero. */
  isZero(format: NativeFormat, local: number): FunctionBuilder {
    return this.b.get(local)[format](0).op(Op[`${format}_eq`]);
  }

  /** Leaves unless each of these is a number. */
  requireNumbers(format: NativeFormat, ...locals: number[]): void {
    for (const local of locals) {
      this.b.get(local).get(local).op(Op[`${format}_ne`]);
      this.leaveIf();
    }
  }

  /** While the inexact flag is clear: leaves unless `pushExact` finds that the result is exact. */
  requireExactUnlessFlagged(pushExact: () => void): void {
    const { b } = this;
    b.get(HART).memory(Memory.i32_load, HartState.fflags).i32(FloatFlag.inexact).op(Op.i32_and).op(Op.i32_eqz).if();
    pushExact();
    this.leaveUnless();
    b.end();
  }

  /** Raises the inexact flag if the i32 condition on the stack is true. */
  raiseInexactIf(): void {
    const { b } = this;
    b.if();
    b.get(HART).get(HART).memory(Memory.i32_load, HartState.fflags).i32(FloatFlag.inexact).op(Op.i32_or);
    b.memory(Memory.i32_store, HartState.fflags);
    b.get(HART).i32(1).memory(Memory.i32_store, HartState.floatDirty);
    b.end();
  }

  /** Returns the number on the stack as a register holds it. */
  give(format: NativeFormat): void {
    const { b } = this;
    if (format === "f64") b.op(Op.i64_reinterpret_f64);
    else b.op(Op.i32_reinterpret_f32).op(Op.i64_extend_i32_u).i64(boxes.f32).op(Op.i64_or);
    b.return();
  }
}
