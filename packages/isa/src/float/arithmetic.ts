/**
 * Addition, multiplication, division, square root and fused multiply-add, computed exactly and rounded once.
 * Every NaN result is the canonical NaN. @spec IEEE 754-2019 "Operations", unprivileged "NaN Generation and Propagation"
 */
import { Flag, type FloatResult, Rounding, result } from "./flags.ts";
import { type Float, type Format, infinity, zero } from "./format.ts";
import { bitLength, round } from "./round.ts";

/** The canonical NaN; the operation is invalid in itself or for an operand that is a signaling NaN. */
export function nan(format: Format, operands: readonly Float[], invalid = false): FloatResult {
  const signals = invalid || operands.some(({ signaling }) => signaling);
  return result(format.canonicalNaN, signals ? Flag.invalid : 0);
}

export const negate = (a: Float): Float => ({ ...a, sign: flip(a.sign) });
const flip = (sign: 0 | 1): 0 | 1 => (sign === 0 ? 1 : 0);
const product = (a: Float, b: Float): 0 | 1 => (a.sign === b.sign ? 0 : 1);
const anyNaN = (...operands: Float[]): boolean => operands.some(({ kind }) => kind === "nan");

export function add(format: Format, mode: Rounding, a: Float, b: Float): FloatResult {
  if (anyNaN(a, b)) return nan(format, [a, b]);
  if (a.kind === "infinite" && b.kind === "infinite" && a.sign !== b.sign) return nan(format, [], true);
  if (a.kind === "infinite" || b.kind === "infinite") {
    return result(infinity(format, a.kind === "infinite" ? a.sign : b.sign));
  }
  const exponent = Math.min(...[a, b].filter(({ kind }) => kind === "finite").map((term) => term.exponent));
  const sum = signed(a, exponent) + signed(b, exponent);
  if (sum !== 0n) return round(format, mode, sum < 0n ? 1 : 0, exponent, sum < 0n ? -sum : sum);
  if (a.kind === "zero" && a.sign === b.sign) return result(zero(format, a.sign));
  return result(zero(format, mode === Rounding.rdn ? 1 : 0));
}

function signed(a: Float, exponent: number): bigint {
  if (a.kind === "zero") return 0n;
  const magnitude = a.significand << BigInt(a.exponent - exponent);
  return a.sign === 1 ? -magnitude : magnitude;
}

export const sub = (format: Format, mode: Rounding, a: Float, b: Float): FloatResult => add(format, mode, a, negate(b));

export function mul(format: Format, mode: Rounding, a: Float, b: Float): FloatResult {
  if (anyNaN(a, b)) return nan(format, [a, b]);
  const { kind, sign, exponent, significand } = multiply(a, b);
  if (kind === "nan") return nan(format, [], true);
  if (kind === "infinite") return result(infinity(format, sign));
  if (kind === "zero") return result(zero(format, sign));
  return round(format, mode, sign, exponent, significand);
}

/** The exact product of two numbers; a NaN for infinity times zero. */
function multiply(a: Float, b: Float): Float {
  const sign = product(a, b);
  const infinite = a.kind === "infinite" || b.kind === "infinite";
  const isZero = a.kind === "zero" || b.kind === "zero";
  const kind = infinite && isZero ? "nan" : infinite ? "infinite" : isZero ? "zero" : "finite";
  const [exponent, significand] = [a.exponent + b.exponent, a.significand * b.significand];
  return { kind, sign, exponent, significand, signaling: false };
}

/** a × b + c, rounded once. Infinity times zero is invalid even if `c` is a quiet NaN. */
export function fma(format: Format, mode: Rounding, a: Float, b: Float, c: Float): FloatResult {
  const isProductNaN = !anyNaN(a, b) && multiply(a, b).kind === "nan";
  if (anyNaN(a, b, c) || isProductNaN) return nan(format, [a, b, c], isProductNaN);
  return add(format, mode, multiply(a, b), c);
}

export function div(format: Format, mode: Rounding, a: Float, b: Float): FloatResult {
  if (anyNaN(a, b)) return nan(format, [a, b]);
  const sign = product(a, b);
  if (a.kind === b.kind && a.kind !== "finite") return nan(format, [], true);
  if (a.kind === "infinite") return result(infinity(format, sign));
  if (b.kind === "zero") return result(infinity(format, sign), Flag.divideByZero);
  if (a.kind === "zero" || b.kind === "infinite") return result(zero(format, sign));
  // Two bits more than the precision, and a last bit that stands for the rest, decide every rounding.
  const shift = Math.max(0, format.precision + 2 + bitLength(b.significand) - bitLength(a.significand));
  const dividend = a.significand << BigInt(shift);
  const quotient = dividend / b.significand;
  const sticky = quotient * b.significand === dividend ? 0n : 1n;
  return round(format, mode, sign, a.exponent - b.exponent - shift - 1, (quotient << 1n) | sticky);
}

export function sqrt(format: Format, mode: Rounding, a: Float): FloatResult {
  if (anyNaN(a)) return nan(format, [a]);
  if (a.kind === "zero") return result(zero(format, a.sign));
  if (a.sign === 1) return nan(format, [], true);
  if (a.kind === "infinite") return result(infinity(format, 0));
  const wanted = Math.max(0, 2 * (format.precision + 2) - bitLength(a.significand));
  const shift = wanted + ((a.exponent - wanted) & 1);
  const square = a.significand << BigInt(shift);
  const root = squareRoot(square);
  const sticky = root * root === square ? 0n : 1n;
  return round(format, mode, 0, (a.exponent - shift) / 2 - 1, (root << 1n) | sticky);
}

/** The largest integer whose square is at most `value`, by Newton's iteration from above. */
function squareRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
