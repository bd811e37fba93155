/** How regions leave where the next region cannot be entered directly: what they tell the inner loop, in one i64. */
import { HartState, Signal } from "../hart/layout.ts";
import { type FunctionBuilder, Memory, Op } from "../wasm/index.ts";
import { LEAVE } from "./target-probe.ts";
import { HART } from "./wasm-operations.ts";

/**
 * `chain` goes on at the pc; `leave` has all callers leave at the pc; `behind2` and `behind4` leave after a signal: behind the
 * instruction of 2 or 4 bytes at the pc if it was `leave`, at the pc itself if it faults; `interpret` has the interpreter go
 * on at the pc.
 */
export const Exit = { chain: 0, leave: 1, behind2: 2, behind4: 3, interpret: 4 } as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

/** From the low bits up: instructions that the budget was charged for in vain, the kind of exit, the offset from the home page. */
const UNSPENT_BITS = 9;
const KIND_BITS = 3;
export const MAX_UNSPENT = (1 << UNSPENT_BITS) - 1;
const OFFSET_SHIFT = UNSPENT_BITS + KIND_BITS;

export const packExit = (exit: Exit, offset: number, unspent: number): number =>
  offset * 2 ** OFFSET_SHIFT + (exit << UNSPENT_BITS) + unspent;

/** Leaves the instructions to give back to the budget on the stack. */
export function emitUnspent(b: FunctionBuilder, exit: number): void {
  b.get(exit).op(Op.i32_wrap_i64).i32(MAX_UNSPENT).op(Op.i32_and);
}

/** Leaves the offset from the home page on the stack. */
export function emitExitOffset(b: FunctionBuilder, exit: number): void {
  b.get(exit).i64(BigInt(OFFSET_SHIFT)).op(Op.i64_shr_s);
}

/** Writes what leaves for every exit but `chain`; for that it goes on behind. @param exit local with the low half. */
export function emitDeparture(b: FunctionBuilder, pc: number, exit: number): void {
  const isKind = (expected: Exit): FunctionBuilder => {
    b.get(exit).i32(UNSPENT_BITS).op(Op.i32_shr_u);
    return b
      .i32((1 << KIND_BITS) - 1)
      .op(Op.i32_and)
      .i32(expected)
      .op(Op.i32_eq);
  };
  const isSignal = (expected: number): FunctionBuilder =>
    b.get(HART).memory(Memory.i32_load, HartState.signal).i32(expected).op(Op.i32_eq);
  isKind(Exit.interpret).if();
  b.get(HART).i32(1).memory(Memory.i32_store, HartState.interpretNext).get(pc).return().end();
  for (const [behind, length] of [
    [Exit.behind2, 2n],
    [Exit.behind4, 4n],
  ] as const) {
    isKind(behind).if();
    b.get(HART).memory(Memory.i64_load, HartState.pc);
    b.get(pc).i64(length).i64(0n);
    isSignal(Signal.leave).op(Op.select).op(Op.i64_add);
    isSignal(Signal.jumped).op(Op.select).i64(LEAVE).op(Op.i64_or).return().end();
  }
  isKind(Exit.leave).if();
  b.get(pc).i64(LEAVE).op(Op.i64_or).return().end();
}
