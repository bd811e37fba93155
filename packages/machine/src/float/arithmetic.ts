/** Fast paths of addition, multiplication, division, square root, minimum, maximum, comparison and classification. */
import { formats } from "@bulkhead/isa";
import { Op, ValueType } from "../wasm/index.ts";
import { pushSumError } from "./exactness.ts";
import type { NativeFormat, Routine } from "./routine.ts";

/** Sums: a finite native sum is right even if it is subnormal, for then it is exact. */
export function sum(routine: Routine, format: NativeFormat, operation: "add" | "sub"): void {
  const { b } = routine;
  routine.requireNearestEven();
  const [x, y] = routine.operands(format);
  const total = b.local(ValueType[format]);
  if (operation === "sub") b.get(y!).op(Op[`${format}_neg`]).set(y!);
  b.get(x!).get(y!).op(Op[`${format}_add`]).set(total);
  routine.requireFinite(format, total);
  routine.requireExactUnlessFlagged(() => {
    pushSumError(b, format, x!, y!, total);
    b[format](0).op(Op[`${format}_eq`]);
  });
  b.get(total);
  routine.give(format);
}

/** Products, quotients and roots: exact if the product that defines them is; a tiny one only if it is 0 for a 0. */
export function scaled(
  routine: Routine,
  format: NativeFormat,
  operation: "mul" | "div" | "sqrt",
  isProduct: number,
): void {
  const { b } = routine;
  routine.requireNearestEven();
  const [x, y] = routine.operands(format);
  const value = b.local(ValueType[format]);
  b.get(x!);
  if (operation !== "sqrt") b.get(y!);
  b.op(Op[`${format}_${operation}`]).set(value);
  routine.requireFinite(format, value);
  routine.isTiny(format, value).if();
  routine.isZero(format, x!);
  if (operation === "mul") routine.isZero(format, y!).op(Op.i32_or);
  routine.leaveUnless();
  b.end();
  routine.requireExactUnlessFlagged(() => {
    if (operation === "mul") b.get(x!).get(y!).get(value);
    else
      b.get(value)
        .get(operation === "div" ? y! : value)
        .get(x!);
    b.call(isProduct);
  });
  b.get(value);
  routine.give(format);
}

/** Minimum and maximum of numbers, for which WebAssembly and RISC-V agree, signs of zeros included. */
export function extremum(routine: Routine, format: NativeFormat, operation: "min" | "max"): void {
  const { b } = routine;
  const [x, y] = routine.operands(format);
  const value = b.local(ValueType[format]);
  b.get(x!).get(y!).op(Op[`${format}_${operation}`]).set(value);
  routine.requireNumbers(format, value);
  b.get(value);
  routine.give(format);
}

export function comparison(routine: Routine, format: NativeFormat, operation: "eq" | "lt" | "le"): void {
  const { b } = routine;
  const [x, y] = routine.operands(format);
  routine.requireNumbers(format, x!, y!);
  b.get(x!).get(y!).op(Op[`${format}_${operation}`]).op(Op.i64_extend_i32_u).return();
}

/** Classification by comparing the magnitude's bits with those of the first of each kind. */
export function classify(routine: Routine, format: NativeFormat): void {
  const { b } = routine;
  const { width, precision, specialExponent } = formats[format];
  const [infinite, normal] = [BigInt(specialExponent) << BigInt(precision - 1), 1n << BigInt(precision - 1)];
  const [magnitude, kind] = [b.local(ValueType.i64), b.local(ValueType.i64)];
  routine.requireBoxes(format);
  routine
    .register(0)
    .i64((1n << BigInt(width - 1)) - 1n)
    .op(Op.i64_and)
    .set(magnitude);
  b.get(magnitude).i64(infinite).op(Op.i64_gt_u).if();
  b.i64(1n << 9n)
    .i64(1n << 8n)
    .get(magnitude)
    .i64(infinite | (normal >> 1n))
    .op(Op.i64_ge_u)
    .op(Op.select)
    .return();
  b.end();
  // 0 for a zero, 1 for a subnormal, 2 for a normal number, 3 for an infinity.
  b.get(magnitude).i64(0n).op(Op.i64_ne).get(magnitude).i64(normal).op(Op.i64_ge_u).op(Op.i32_add);
  b.get(magnitude).i64(infinite).op(Op.i64_eq).op(Op.i32_add).op(Op.i64_extend_i32_u).set(kind);
  b.i64(1n);
  b.i64(3n).get(kind).op(Op.i64_sub).i64(4n).get(kind).op(Op.i64_add);
  routine
    .register(0)
    .i64(BigInt(width - 1))
    .op(Op.i64_shr_u)
    .i64(1n)
    .op(Op.i64_and)
    .op(Op.i32_wrap_i64);
  b.op(Op.select).op(Op.i64_shl).return();
}
