/** Fast paths of the conversions between integers, doubles and singles in translated code. */
import { DYNAMIC_ROUNDING } from "@bulkhead/isa";
import { Op, ValueType } from "../wasm/index.ts";
import { Expression } from "./expression.ts";
import type { NativeFormat } from "./float-guard.ts";
import type { FloatPath } from "./float-path.ts";

export type IntegerName = "i32" | "u32" | "i64" | "u64";

/** Operators that round to an integral number, by rm field; ties away from zero have none. The dynamic mode is mostly 0. */
const integral: Readonly<Record<number, number>> = {
  0: Op.f64_nearest,
  1: Op.f64_trunc,
  2: Op.f64_floor,
  3: Op.f64_ceil,
  [DYNAMIC_ROUNDING]: Op.f64_nearest,
};

const TOWARDS_ZERO = 1;
/** `i64.trunc_sat_f64_s`, behind the prefix 0xfc. */
const TRUNCATE = 0x06;

/** Magnitudes below this are converted inline. */
const bounds = { i32: 2 ** 31, u32: 2 ** 32, i64: 2 ** 63, u64: 2 ** 63 } as const;

/** Exact, or with the inexact flag set. `mode` is the rm field, or the one mode of an instruction without. */
export function toInteger(path: FloatPath, to: IntegerName, from: NativeFormat, mode: number): Expression | undefined {
  const { b } = path;
  const opcode = integral[mode];
  if (opcode === undefined) return undefined;
  const [whole, result] = [path.temporary("f64"), b.temporary(ValueType.i64)];
  const pushOperand = () => {
    path.operand(from, 0);
    if (from === "f32") b.op(Op.f64_promote_f32);
  };
  pushOperand();
  if (mode !== TOWARDS_ZERO) b.op(opcode);
  b.tee(whole).misc(TRUNCATE).set(result);
  b.get(whole);
  if (to === "i32" || to === "i64") b.op(Op.f64_abs).f64(bounds[to]).op(Op.f64_lt);
  else b.f64(bounds[to]).op(Op.f64_lt).get(whole).f64(-1).op(Op.f64_gt).op(Op.i32_and);
  b.get(result).op(Op.f64_convert_i64_s);
  pushOperand();
  b.op(Op.f64_eq);
  path.guard.pushLimit();
  b.op(Op.i32_or).op(Op.i32_and).op(Op.i32_eqz);
  path.orUnboxed(from);
  if (to === "i32" || to === "u32") b.get(result).op(Op.i64_extend32_s).set(result);
  return path.integer(result);
}

/** Integers of at most so many bits are exact; others are rounded to nearest even with the inexact flag set. */
export function fromInteger(path: FloatPath, to: NativeFormat, from: IntegerName): Expression | undefined {
  const { b } = path;
  const bits = to === "f64" ? 53n : 24n;
  const narrow = from === "i32" || from === "u32";
  const exact = narrow && to === "f64";
  if (!exact && path.mode !== 0 && path.mode !== DYNAMIC_ROUNDING) return undefined;
  const [integer, value] = [b.temporary(ValueType.i64), path.temporary(to)];
  path.register(0);
  if (from === "i32") b.op(Op.i64_extend32_s);
  if (from === "u32") b.i64(0xffff_ffffn).op(Op.i64_and);
  b.tee(integer)
    .op(Op[`${to}_convert_i64_${from === "u64" ? "u" : "s"}`])
    .set(value);
  if (exact) return Expression.double(value);
  b.get(integer);
  if (from === "i32" || from === "i64")
    b.i64(1n << bits)
      .op(Op.i64_add)
      .i64(1n << (bits + 1n));
  else b.i64(1n << bits);
  b.op(Op.i64_gt_u);
  path.guard.pushLimit();
  b.op(Op.i32_eqz).op(Op.i32_and);
  return path.number(to, value);
}

/** Always exact. */
export function widen(path: FloatPath): Expression {
  const value = path.temporary("f64");
  path.operand("f32", 0).op(Op.f64_promote_f32).tee(value).get(value).op(Op.f64_ne);
  path.orUnboxed("f32");
  return path.number("f64", value);
}

/** To nearest even only. */
export function narrow(path: FloatPath): Expression {
  const value = path.temporary("f32");
  path.operand("f64", 0).op(Op.f32_demote_f64).tee(value);
  path.guard.pushRefused("f32");
  return path.number("f32", value);
}
