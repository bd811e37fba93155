/** Conversions between floating-point formats and integers. @spec unprivileged "Floating-Point Conversion and Move Instructions" */
import { nan } from "./arithmetic.ts";
import { Flag, type FloatResult, Rounding, result } from "./flags.ts";
import { type Float, type Format, infinity, zero } from "./format.ts";
import { round, roundShift } from "./round.ts";

export interface IntegerFormat {
  readonly width: 32 | 64;
  readonly signed: boolean;
}

export const integerFormats = {
  i32: { width: 32, signed: true },
  u32: { width: 32, signed: false },
  i64: { width: 64, signed: true },
  u64: { width: 64, signed: false },
} as const satisfies Record<string, IntegerFormat>;
export type IntegerFormatName = keyof typeof integerFormats;

const limits = ({ width, signed }: IntegerFormat): { least: bigint; most: bigint } =>
  signed
    ? { least: -(1n << BigInt(width - 1)), most: (1n << BigInt(width - 1)) - 1n }
    : { least: 0n, most: (1n << BigInt(width)) - 1n };

/** An integer as a 64-bit register holds it: 32-bit ones, unsigned ones too, are sign-extended. */
const inRegister = (to: IntegerFormat, value: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(to.width, value));

const truncated = (mode: Rounding, a: Float): { value: bigint; inexact: boolean } => {
  if (a.kind === "zero") return { value: 0n, inexact: false };
  const { integer, inexact } = roundShift(mode, a.sign, a.significand, -a.exponent);
  return { value: a.sign === 1 ? -integer : integer, inexact };
};

/** An integer; what is out of range saturates, and a NaN counts as above the range. */
export function toInteger(to: IntegerFormat, mode: Rounding, a: Float): FloatResult {
  const { least, most } = limits(to);
  if (a.kind === "nan") return result(inRegister(to, most), Flag.invalid);
  if (a.kind === "infinite") return result(inRegister(to, a.sign === 1 ? least : most), Flag.invalid);
  const { value, inexact } = truncated(mode, a);
  if (value < least) return result(inRegister(to, least), Flag.invalid);
  if (value > most) return result(inRegister(to, most), Flag.invalid);
  return result(inRegister(to, value), inexact ? Flag.inexact : 0);
}

/** The integer part modulo 2^32; the flags are those of the saturating conversion. @spec unprivileged "Modular Convert-to-Integer" */
export function toIntegerModular(a: Float): FloatResult {
  const { flags } = toInteger(integerFormats.i32, Rounding.rtz, a);
  if (a.kind === "nan" || a.kind === "infinite") return result(0n, flags);
  return result(inRegister(integerFormats.i32, truncated(Rounding.rtz, a).value), flags);
}

/** The number nearest to the integer in the low bits of a register. */
export function fromInteger(format: Format, mode: Rounding, from: IntegerFormat, register: bigint): FloatResult {
  const value = from.signed ? BigInt.asIntN(from.width, register) : BigInt.asUintN(from.width, register);
  if (value === 0n) return result(zero(format, 0));
  return round(format, mode, value < 0n ? 1 : 0, 0, value < 0n ? -value : value);
}

/** The same number in another format. */
export function toFormat(format: Format, mode: Rounding, a: Float): FloatResult {
  if (a.kind === "nan") return nan(format, [a]);
  if (a.kind === "infinite") return result(infinity(format, a.sign));
  if (a.kind === "zero") return result(zero(format, a.sign));
  return round(format, mode, a.sign, a.exponent, a.significand);
}

/** The nearest integral number in the same format; `inexactFlag` says what to raise if it differs. */
export function toIntegral(format: Format, mode: Rounding, a: Float, inexactFlag: number): FloatResult {
  if (a.kind !== "finite") return toFormat(format, mode, a);
  const { integer, inexact } = roundShift(mode, a.sign, a.significand, -a.exponent);
  const flags = inexact ? inexactFlag : 0;
  if (integer === 0n) return result(zero(format, a.sign), flags);
  return result(round(format, mode, a.sign, 0, integer).value, flags);
}
