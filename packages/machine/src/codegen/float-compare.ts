/** Fast paths of comparison and classification in translated code. */
import { formats } from "@bulkhead/isa";
import { Op, ValueType } from "../wasm/index.ts";
import type { Expression } from "./expression.ts";
import type { NativeFormat } from "./float-guard.ts";
import type { FloatPath } from "./float-path.ts";

/** A comparison, and one or two more such that one of them is true unless an operand is a NaN. */
const relations = { eq: ["eq", "lt", "gt"], lt: ["lt", "ge"], le: ["le", "gt"] } as const;

export function comparison(path: FloatPath, format: NativeFormat, operation: "eq" | "lt" | "le"): Expression {
  const { b } = path;
  const [result, others] = [b.temporary(ValueType.i64), relations[operation].slice(1)];
  path.operands(format).op(Op[`${format}_${operation}`]).op(Op.i64_extend_i32_u).tee(result).op(Op.i32_wrap_i64);
  for (const other of others) path.operands(format).op(Op[`${format}_${other}`]).op(Op.i32_or);
  b.op(Op.i32_eqz);
  path.orUnboxed(format);
  return path.integer(result);
}

/** The bit that says what kind of number it is, for all but NaNs. */
export function classify(path: FloatPath, format: NativeFormat): Expression {
  const { b } = path;
  const { width, precision, specialExponent } = formats[format];
  const [infinite, normal] = [BigInt(specialExponent) << BigInt(precision - 1), 1n << BigInt(precision - 1)];
  const [magnitude, kind, result] = Array.from({ length: 3 }, () => b.temporary(ValueType.i64)) as [
    number,
    number,
    number,
  ];
  path
    .register(0)
    .i64((1n << BigInt(width - 1)) - 1n)
    .op(Op.i64_and)
    .set(magnitude);
  // 0 for a zero, 1 for a subnormal, 2 for a normal number, 3 for an infinity.
  b.get(magnitude).i64(0n).op(Op.i64_ne).get(magnitude).i64(normal).op(Op.i64_ge_u).op(Op.i32_add);
  b.get(magnitude).i64(infinite).op(Op.i64_eq).op(Op.i32_add).op(Op.i64_extend_i32_u).set(kind);
  b.i64(1n);
  b.i64(3n).get(kind).op(Op.i64_sub).i64(4n).get(kind).op(Op.i64_add);
  path
    .register(0)
    .i64(1n << BigInt(width - 1))
    .op(Op.i64_and)
    .i64(0n)
    .op(Op.i64_ne);
  b.op(Op.select).op(Op.i64_shl).set(result);
  b.get(magnitude).i64(infinite).op(Op.i64_gt_u);
  path.orUnboxed(format);
  return path.integer(result);
}
