/** The slow path of floating point: the exact reference of `@bulkhead/isa`, on a hart's state. Called by the float module. */
import { DYNAMIC_ROUNDING, floatOperationNames, floatOperations, type Rounding } from "@bulkhead/isa";
import { Cause } from "../hart/cause.ts";
import { HartState, Signal } from "../hart/layout.ts";

/** (hart, number of the operation, rm field, operands) to the result. An invalid rounding mode is an illegal instruction. */
export type SoftFloat = (hart: number, operation: number, rm: number, a: bigint, b: bigint, c: bigint) => bigint;

const MOST_ROUNDING = 4;
const entries = floatOperationNames.map((name) => floatOperations[name]);

/** `words` is the whole guest memory. */
export function softFloat(words: Int32Array): SoftFloat {
  return (hart, operation, rm, a, b, c) => {
    const slot = (offset: number): number => (hart + offset) >> 2;
    const { rounds, evaluate } = entries[operation]!;
    const mode = !rounds ? 0 : rm === DYNAMIC_ROUNDING ? words[slot(HartState.frm)]! : rm;
    if (mode > MOST_ROUNDING) {
      words[slot(HartState.cause)] = Cause.illegal;
      words[slot(HartState.signal)] = Signal.exception;
      return 0n;
    }
    const { value, flags } = evaluate(mode as Rounding, u64(a), u64(b), u64(c));
    const accrued = words[slot(HartState.fflags)]!;
    if ((flags & ~accrued) !== 0) {
      words[slot(HartState.fflags)] = accrued | flags;
      words[slot(HartState.floatDirty)] = 1;
    }
    return value;
  };
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
