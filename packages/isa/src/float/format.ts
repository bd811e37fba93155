/**
 * The binary interchange formats, and floating-point data taken apart into exact numbers. A datum travels between
 * functions as its bits (BigInt); a 64-bit register holds a narrower one NaN-boxed. @spec unprivileged "NaN Boxing of Narrower Values"
 */

export interface Format {
  readonly width: 16 | 32 | 64;
  /** Bits of the significand, the hidden one included. */
  readonly precision: number;
  /** Exponent field of infinities and NaNs. */
  readonly specialExponent: number;
  /** Power of two that the last bit of a subnormal counts. */
  readonly minQuantum: number;
  readonly canonicalNaN: bigint;
}

export const formats = {
  f16: { width: 16, precision: 11, specialExponent: 0x1f, minQuantum: -24, canonicalNaN: 0x7e00n },
  f32: { width: 32, precision: 24, specialExponent: 0xff, minQuantum: -149, canonicalNaN: 0x7fc0_0000n },
  f64: { width: 64, precision: 53, specialExponent: 0x7ff, minQuantum: -1074, canonicalNaN: 0x7ff8_0000_0000_0000n },
} as const satisfies Record<string, Format>;
export type FormatName = keyof typeof formats;

/** A datum taken apart: a `finite` one is (-1)^sign × significand × 2^exponent with a significand that is not 0. */
export interface Float {
  readonly kind: "zero" | "finite" | "infinite" | "nan";
  readonly sign: 0 | 1;
  readonly exponent: number;
  readonly significand: bigint;
  /** True for a NaN whose use raises the invalid-operation flag. */
  readonly signaling: boolean;
}

/** Takes the low `width` bits apart. */
export function unpack(format: Format, bits: bigint): Float {
  const fractionBits = BigInt(format.precision - 1);
  const fraction = BigInt.asUintN(format.precision - 1, bits);
  const field = Number(bits >> fractionBits) & format.specialExponent;
  const sign = signOf(format, bits);
  const datum = { sign, exponent: 0, significand: 0n, signaling: false };
  if (field === format.specialExponent) {
    if (fraction === 0n) return { ...datum, kind: "infinite" };
    return { ...datum, kind: "nan", signaling: fraction >> (fractionBits - 1n) === 0n };
  }
  if (field === 0 && fraction === 0n) return { ...datum, kind: "zero" };
  const significand = field === 0 ? fraction : fraction | (1n << fractionBits);
  return { ...datum, kind: "finite", significand, exponent: format.minQuantum + Math.max(field, 1) - 1 };
}

export const signOf = (format: Format, bits: bigint): 0 | 1 => ((bits >> BigInt(format.width - 1)) & 1n ? 1 : 0);
const signBit = (format: Format, sign: 0 | 1): bigint => BigInt(sign) << BigInt(format.width - 1);

/** Joins a sign with the bits of a magnitude. */
export const withSign = (format: Format, sign: 0 | 1, magnitude: bigint): bigint => signBit(format, sign) | magnitude;
export const zero = (format: Format, sign: 0 | 1): bigint => signBit(format, sign);
export const infinity = (format: Format, sign: 0 | 1): bigint =>
  withSign(format, sign, BigInt(format.specialExponent) << BigInt(format.precision - 1));
export const largestFinite = (format: Format, sign: 0 | 1): bigint => infinity(format, sign) - 1n;

/** The 64 bits of a register that holds this datum: ones above a narrower one. */
export const box = (format: Format, bits: bigint): bigint =>
  bits | (BigInt.asUintN(64, -1n) ^ BigInt.asUintN(format.width, -1n));

/** The datum in a register; the canonical NaN if a narrower one is not boxed. */
export const unbox = (format: Format, register: bigint): bigint => {
  const bits = BigInt.asUintN(format.width, register);
  return box(format, bits) === register ? bits : format.canonicalNaN;
};
