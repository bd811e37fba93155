/** Fast paths of fused multiply-add, with the host's instruction or without. */
import { type FunctionBuilder, Op, ValueType } from "../wasm/index.ts";
import { pushSumError } from "./exactness.ts";
import { pushRelaxedFma } from "./fused.ts";
import type { Routine } from "./routine.ts";

const { i64, f32, f64 } = ValueType;

/** Double precision with the host's fused instruction. `isProduct` is the function of `exactness.ts`. */
export function fmaDoubleFused(routine: Routine, isProduct: number): void {
  const { b } = routine;
  routine.requireNearestEven();
  const operands = routine.operands("f64");
  const [x, y, z] = operands;
  const [value, product] = [b.local(f64), b.local(f64)];
  pushRelaxedFma(b, "f64", (index) => b.get(operands[index]!));
  b.set(value);
  routine.requireFinite("f64", value);
  routine.isTiny("f64", value).if();
  routine.isZero("f64", x!);
  routine.isZero("f64", y!).op(Op.i32_or);
  routine.isZero("f64", z!).op(Op.i32_and);
  routine.leaveUnless();
  b.end();
  routine.requireExactUnlessFlagged(() => {
    b.get(x!).get(y!).get(x!).get(y!).op(Op.f64_mul).tee(product).call(isProduct);
    pushSumError(b, "f64", product, z!, value);
    b.f64(0).op(Op.f64_eq).op(Op.i32_and);
  });
  b.get(value);
  routine.give("f64");
}

/**
 * Double precision from separate operations: the product as a sum of two doubles (Dekker), then three sums, the inner one
 * rounded to odd. @see Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd"
 */
export function fmaDoubleEmulated(routine: Routine): void {
  const { b } = routine;
  routine.requireNearestEven();
  const [x, y, z] = routine.operands("f64");
  const product = b.local(f64);
  b.get(x!).get(y!).op(Op.f64_mul).set(product);
  // Nothing below can overflow, and no error can underflow.
  for (const local of [x!, y!, z!, product]) requireMagnitude(routine, local, 2 ** -450, 2 ** 900, local === z);
  const productError = pushProductError(b, x!, y!, product);
  const low = twoSum(b, z!, productError);
  const high = twoSum(b, product, low.sum);
  const inner = twoSum(b, low.error, high.error);
  roundToOdd(b, inner.sum, inner.error);
  const value = twoSum(b, high.sum, inner.sum);
  routine.isTiny("f64", value.sum);
  routine.leaveIf();
  routine.requireExactUnlessFlagged(() => {
    for (const { error } of [inner, value]) b.get(error).f64(0).op(Op.f64_eq);
    b.op(Op.i32_and);
  });
  b.get(value.sum);
  routine.give("f64");
}

/** Leaves unless the magnitude is in [from, to), or 0 where that is allowed. */
function requireMagnitude(routine: Routine, local: number, from: number, to: number, zeroAllowed: boolean): void {
  const { b } = routine;
  b.get(local).op(Op.f64_abs).f64(from).op(Op.f64_ge);
  if (zeroAllowed) routine.isZero("f64", local).op(Op.i32_or);
  b.get(local).op(Op.f64_abs).f64(to).op(Op.f64_lt).op(Op.i32_and);
  routine.leaveUnless();
}

/** Locals with a rounded sum and its error. */
function twoSum(b: FunctionBuilder, x: number, y: number): { sum: number; error: number } {
  const [sum, error] = [b.local(f64), b.local(f64)];
  b.get(x).get(y).op(Op.f64_add).set(sum);
  pushSumError(b, "f64", x, y, sum);
  b.set(error);
  return { sum, error };
}

/** Local with the error of a rounded product, from halves of 26 bits of its factors. */
function pushProductError(b: FunctionBuilder, x: number, y: number, product: number): number {
  const [xh, xl] = split(b, x);
  const [yh, yl] = split(b, y);
  const error = b.local(f64);
  b.get(xh).get(yh).op(Op.f64_mul).get(product).op(Op.f64_sub);
  b.get(xh).get(yl).op(Op.f64_mul).op(Op.f64_add);
  b.get(xl).get(yh).op(Op.f64_mul).op(Op.f64_add);
  b.get(xl).get(yl).op(Op.f64_mul).op(Op.f64_add).set(error);
  return error;
}

function split(b: FunctionBuilder, x: number): [high: number, low: number] {
  const [scaled, high, low] = [b.local(f64), b.local(f64), b.local(f64)];
  b.get(x)
    .f64(2 ** 27 + 1)
    .op(Op.f64_mul)
    .tee(scaled)
    .get(scaled)
    .get(x)
    .op(Op.f64_sub)
    .op(Op.f64_sub)
    .set(high);
  b.get(x).get(high).op(Op.f64_sub).set(low);
  return [high, low];
}

/** Makes a sum that is rounded to nearest one that is rounded to odd: if inexact and even, the neighbour beyond the error. */
function roundToOdd(b: FunctionBuilder, sum: number, error: number): void {
  const bits = b.local(i64);
  b.get(error).f64(0).op(Op.f64_ne);
  b.get(sum).op(Op.i64_reinterpret_f64).tee(bits).op(Op.i32_wrap_i64).i32(-1).op(Op.i32_xor).op(Op.i32_and);
  b.i32(1).op(Op.i32_and).if();
  b.get(bits).i64(1n).i64(-1n);
  b.get(error).f64(0).op(Op.f64_gt).get(sum).f64(0).op(Op.f64_gt).op(Op.i32_eq).op(Op.select);
  b.op(Op.i64_add).op(Op.f64_reinterpret_i64).set(sum);
  b.end();
}

/** Single precision: the product fits a double, and a double rounded to odd rounds right to single precision. */
export function fmaSingle(routine: Routine): void {
  const { b } = routine;
  routine.requireNearestEven();
  const [x, y, z] = routine.operands("f32");
  const [product, addend, value] = [b.local(f64), b.local(f64), b.local(f32)];
  b.get(x!).op(Op.f64_promote_f32).get(y!).op(Op.f64_promote_f32).op(Op.f64_mul).set(product);
  b.get(z!).op(Op.f64_promote_f32).set(addend);
  const { sum, error } = twoSum(b, product, addend);
  roundToOdd(b, sum, error);
  b.get(sum).op(Op.f32_demote_f64).set(value);
  routine.requireFinite("f32", value);
  routine.isTiny("f32", value);
  b.get(sum).f64(0).op(Op.f64_ne).op(Op.i32_and);
  routine.leaveIf();
  routine.requireExactUnlessFlagged(() => {
    b.get(value).op(Op.f64_promote_f32).get(sum).op(Op.f64_eq);
  });
  b.get(value);
  routine.give("f32");
}
