/** Fast paths of the conversions, of rounding to integral numbers, and of `fli`. */
import { evaluateFloat, type FloatOperation } from "@bulkhead/isa";
import { type FunctionBuilder, Op, ValueType } from "../wasm/index.ts";
import type { NativeFormat, Routine } from "./routine.ts";

const { i64, f64 } = ValueType;
export type IntegerName = "i32" | "u32" | "i64" | "u64";

/** A function (x, mode) that rounds a double to an integral one in a valid rounding mode, keeping the sign of a zero. */
export function integral(b: FunctionBuilder): void {
  const [x, mode] = [0, 1];
  const whole = b.local(f64);
  const labels = Array.from({ length: 5 }, () => b.block()).reverse();
  b.get(mode).brTable(labels.slice(0, 4), labels[4]!);
  for (const opcode of [Op.f64_nearest, Op.f64_trunc, Op.f64_floor, Op.f64_ceil]) {
    b.end();
    b.get(x).op(opcode).return();
  }
  b.end();
  // Ties away from zero: the rest is exact.
  b.get(x).op(Op.f64_trunc).tee(whole).f64(1).get(x).op(Op.f64_copysign).op(Op.f64_add);
  b.get(whole);
  b.get(x).get(whole).op(Op.f64_sub).op(Op.f64_abs).f64(0.5).op(Op.f64_ge);
  b.op(Op.select);
}

/** Local with an operand as a double. */
function asDouble(routine: Routine, format: NativeFormat): number {
  const { b } = routine;
  const [x] = routine.operands(format);
  if (format === "f64") return x!;
  const wide = b.local(f64);
  b.get(x!).op(Op.f64_promote_f32).set(wide);
  return wide;
}

/** The least number in range, and the first above the range. */
const ranges = {
  i32: [-(2 ** 31), 2 ** 31],
  u32: [0, 2 ** 32],
  i64: [-(2 ** 63), 2 ** 63],
  u64: [0, 2 ** 64],
} as const;

/** In every rounding mode; `integral` is undefined for the conversion that always rounds towards zero. */
export function toInteger(routine: Routine, to: IntegerName, from: NativeFormat, integralFunction?: number): void {
  const { b } = routine;
  const mode = integralFunction === undefined ? undefined : routine.validMode();
  const x = asDouble(routine, from);
  const whole = b.local(f64);
  b.get(x);
  if (mode === undefined) b.op(Op.f64_trunc);
  else b.get(mode).call(integralFunction!);
  b.set(whole);
  b.get(whole).f64(ranges[to][0]).op(Op.f64_ge).get(whole).f64(ranges[to][1]).op(Op.f64_lt).op(Op.i32_and);
  routine.leaveUnless();
  b.get(whole).get(x).op(Op.f64_ne);
  routine.raiseInexactIf();
  b.get(whole).op(to === "u64" ? Op.i64_trunc_f64_u : Op.i64_trunc_f64_s);
  if (to === "i32" || to === "u32") b.op(Op.i64_extend32_s);
  b.return();
}

/** The integral number nearest to a number. */
export function toIntegral(routine: Routine, format: NativeFormat, raises: boolean, integralFunction: number): void {
  const { b } = routine;
  const mode = routine.validMode();
  const x = asDouble(routine, format);
  const whole = b.local(f64);
  routine.requireNumbers("f64", x);
  b.get(x).get(mode).call(integralFunction).set(whole);
  if (raises) {
    b.get(whole).get(x).op(Op.f64_ne);
    routine.raiseInexactIf();
  }
  b.get(whole);
  if (format === "f32") b.op(Op.f32_demote_f64);
  routine.give(format);
}

/** Exact if the bits between the integer's highest and lowest one fit the significand; otherwise to nearest even only. */
export function fromInteger(routine: Routine, to: NativeFormat, from: IntegerName): void {
  const { b } = routine;
  const mode = routine.validMode();
  const [value, magnitude] = [b.local(i64), b.local(i64)];
  routine.register(0);
  if (from === "i32") b.op(Op.i64_extend32_s);
  if (from === "u32") b.i64(0xffff_ffffn).op(Op.i64_and);
  b.set(value);
  if (to === "f32" || from === "i64" || from === "u64") {
    b.get(value);
    if (from !== "u64") {
      b.i64(0n).get(value).op(Op.i64_sub).get(value).i64(0n).op(Op.i64_ge_s).op(Op.select);
    }
    b.tee(magnitude).op(Op.i64_clz).get(magnitude).op(Op.i64_ctz).op(Op.i64_add);
    b.i64(to === "f64" ? 64n - 53n : 64n - 24n)
      .op(Op.i64_lt_u)
      .if();
    b.get(mode);
    routine.leaveIf();
    b.i32(1);
    routine.raiseInexactIf();
    b.end();
  }
  b.get(value).op(Op[`${to}_convert_i64_${from === "u64" ? "u" : "s"}`]);
  routine.give(to);
}

/** Single to double precision: always exact. */
export function widen(routine: Routine): void {
  routine.validMode();
  const [x] = routine.operands("f32");
  routine.requireNumbers("f32", x!);
  routine.b.get(x!).op(Op.f64_promote_f32);
  routine.give("f64");
}

/** Double to single precision: exact results in every mode, otherwise normal ones to nearest even. */
export function narrow(routine: Routine): void {
  const { b } = routine;
  const mode = routine.validMode();
  const [x] = routine.operands("f64");
  const value = b.local(ValueType.f32);
  routine.requireNumbers("f64", x!);
  b.get(x!).op(Op.f32_demote_f64).tee(value).op(Op.f64_promote_f32).get(x!).op(Op.f64_ne).if();
  b.get(mode);
  routine.leaveIf();
  routine.requireFinite("f32", value);
  routine.isTiny("f32", value);
  routine.leaveIf();
  b.i32(1);
  routine.raiseInexactIf();
  b.end();
  b.get(value);
  routine.give("f32");
}

/** Half precision to a wider format: always exact; scaling moves the exponent, that of a subnormal too. */
export function widenHalf(routine: Routine, to: NativeFormat): void {
  const { b } = routine;
  const magnitude = b.local(ValueType.i32);
  routine.validMode();
  routine.requireBoxes("f16");
  routine.register(0).op(Op.i32_wrap_i64).i32(0x7fff).op(Op.i32_and).tee(magnitude).i32(0x7c00).op(Op.i32_ge_u);
  routine.leaveIf();
  b.get(magnitude)
    .i32(13)
    .op(Op.i32_shl)
    .op(Op.f32_reinterpret_i32)
    .f32(2 ** 112)
    .op(Op.f32_mul);
  routine.register(0).op(Op.i32_wrap_i64).i32(16).op(Op.i32_shl).op(Op.f32_reinterpret_i32).op(Op.f32_copysign);
  if (to === "f64") b.op(Op.f64_promote_f32);
  routine.give(to);
}

/** One of 32 constants. */
export function constant(routine: Routine, operation: FloatOperation): void {
  const { b } = routine;
  const labels = Array.from({ length: 32 }, () => b.block()).reverse();
  routine.register(0).op(Op.i32_wrap_i64).brTable(labels.slice(0, 31), labels[31]!);
  for (let index = 0; index < labels.length; index++) {
    b.end();
    b.i64(BigInt.asIntN(64, evaluateFloat(operation, 0, BigInt(index)).value)).return();
  }
}
