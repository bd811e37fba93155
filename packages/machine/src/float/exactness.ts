/**
 * Functions and code that find out whether a native result is exact, by error-free transformations.
 * @see Muller et al., "Handbook of Floating-Point Arithmetic", "Error-free transforms"
 */
import { type FunctionBuilder, Op, ValueType } from "../wasm/index.ts";
import { least, type NativeFormat } from "./routine.ts";

const { i64 } = ValueType;
const FRACTION = 0xf_ffff_ffff_ffffn;
const EXPONENT = 0x7ff0_0000_0000_0000n;
const HIDDEN = 0x10_0000_0000_0000n;

/** Pushes the error of `sum` = x + y (Knuth's TwoSum): exact, or a NaN where an intermediate result overflows. */
export function pushSumError(b: FunctionBuilder, format: NativeFormat, x: number, y: number, sum: number): void {
  const other = b.local(ValueType[format]);
  const [plus, minus] = [Op[`${format}_add`], Op[`${format}_sub`]];
  b.get(sum).get(x).op(minus).set(other);
  b.get(x).get(sum).get(other).op(minus).op(minus);
  b.get(y).get(other).op(minus).op(plus);
}

/** A function (x, y, p) that tells whether the finite p is exactly x × y. Single precision: the product fits a double. */
export function isProductSingle(b: FunctionBuilder): void {
  const [x, y, p] = [0, 1, 2];
  b.get(x).op(Op.f64_promote_f32).get(y).op(Op.f64_promote_f32).op(Op.f64_mul);
  b.get(p).op(Op.f64_promote_f32).op(Op.f64_eq);
}

/**
 * The same in double precision, where it may also deny what is true of tiny products. The product rounds to p, p is not
 * subnormal, and the odd parts of the significands have a product of at most 53 bits.
 */
export function isProductDouble(b: FunctionBuilder): void {
  const [x, y, p] = [0, 1, 2];
  const [odd, other] = [b.local(i64), b.local(i64)];
  b.get(x).get(y).op(Op.f64_mul).get(p).op(Op.f64_eq);
  b.get(p).op(Op.f64_abs).f64(least.f64).op(Op.f64_ge);
  for (const factor of [x, y]) b.get(factor).f64(0).op(Op.f64_eq).op(Op.i32_or);
  b.op(Op.i32_and);
  for (const [factor, local] of [
    [x, odd],
    [y, other],
  ] as const) {
    b.get(factor).op(Op.i64_reinterpret_f64).tee(local).i64(FRACTION).op(Op.i64_and);
    b.i64(HIDDEN).i64(0n).get(local).i64(EXPONENT).op(Op.i64_and).i64(0n).op(Op.i64_ne).op(Op.select);
    b.op(Op.i64_or).tee(local).get(local).op(Op.i64_ctz).op(Op.i64_shr_u).set(local);
  }
  // At most 54 bits together: the product has 53 or 54, and does not overflow.
  b.get(odd).op(Op.i64_clz).get(other).op(Op.i64_clz).op(Op.i64_add).i64(74n).op(Op.i64_ge_u).op(Op.i32_and);
  b.get(odd)
    .get(other)
    .op(Op.i64_mul)
    .i64(1n << 53n)
    .op(Op.i64_lt_u)
    .op(Op.i32_and);
}
