/** High halves of 128-bit products, which WebAssembly lacks, written inline: big-number arithmetic is full of them. */
import { type FunctionBuilder, Op, ValueType } from "../wasm/index.ts";

const LOW = 0xffff_ffffn;

/** Leaves the high half of the product of two unsigned locals on the stack, from four 32-bit products. */
export function emitMulHighUnsigned(b: FunctionBuilder, x: number, y: number): void {
  const [xl, xh, yl, yh, middle] = Array.from({ length: 5 }, () => b.temporary(ValueType.i64));
  b.get(x).i64(LOW).op(Op.i64_and).set(xl).get(x).i64(32n).op(Op.i64_shr_u).set(xh);
  b.get(y).i64(LOW).op(Op.i64_and).set(yl).get(y).i64(32n).op(Op.i64_shr_u).set(yh);
  b.get(xh).get(yl).op(Op.i64_mul).get(xl).get(yl).op(Op.i64_mul).i64(32n).op(Op.i64_shr_u).op(Op.i64_add).set(middle);
  b.get(xh).get(yh).op(Op.i64_mul).get(middle).i64(32n).op(Op.i64_shr_u).op(Op.i64_add);
  b.get(xl).get(yh).op(Op.i64_mul).get(middle).i64(LOW).op(Op.i64_and).op(Op.i64_add).i64(32n).op(Op.i64_shr_u);
  b.op(Op.i64_add);
}

/** The same with `x`, or both, signed: the unsigned product less each factor where the other is negative. */
export function emitMulHighSigned(b: FunctionBuilder, x: number, y: number, signs: "both signed" | "x signed"): void {
  emitMulHighUnsigned(b, x, y);
  b.get(x).i64(63n).op(Op.i64_shr_s).get(y).op(Op.i64_and).op(Op.i64_sub);
  if (signs === "both signed") b.get(y).i64(63n).op(Op.i64_shr_s).get(x).op(Op.i64_and).op(Op.i64_sub);
}
