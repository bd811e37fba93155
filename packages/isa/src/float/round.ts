/** Rounding of exact numbers, the one place where results become inexact. @spec IEEE 754-2019 "Rounding-direction attributes" */
import { Flag, type FloatResult, Rounding, result } from "./flags.ts";
import { type Format, infinity, largestFinite, withSign } from "./format.ts";

export const bitLength = (value: bigint): number => {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28;
};

/** `significand` / 2^`shift` rounded to an integer as a number of this sign; a negative shift multiplies. */
export function roundShift(
  mode: Rounding,
  sign: 0 | 1,
  significand: bigint,
  shift: number,
): { integer: bigint; inexact: boolean } {
  if (shift <= 0) return { integer: significand << BigInt(-shift), inexact: false };
  const integer = significand >> BigInt(shift);
  const rest = significand - (integer << BigInt(shift));
  if (rest === 0n) return { integer, inexact: false };
  const half = 1n << BigInt(shift - 1);
  const up = roundsUp(mode, sign, integer, rest < half ? -1 : rest > half ? 1 : 0);
  return { integer: up ? integer + 1n : integer, inexact: true };
}

/** Whether a magnitude between `integer` and the next rounds up; `side` compares its rest with one half. */
function roundsUp(mode: Rounding, sign: 0 | 1, integer: bigint, side: -1 | 0 | 1): boolean {
  if (mode === Rounding.rne) return side > 0 || (side === 0 && (integer & 1n) === 1n);
  if (mode === Rounding.rtz) return false;
  if (mode === Rounding.rdn) return sign === 1;
  if (mode === Rounding.rup) return sign === 0;
  return side >= 0;
}

/**
 * The datum for (-1)^sign × significand × 2^exponent, whose significand is not 0. Tininess is detected after rounding:
 * underflow is raised for an inexact result that would be below the normal range with an unbounded exponent too.
 */
export function round(format: Format, mode: Rounding, sign: 0 | 1, exponent: number, significand: bigint): FloatResult {
  const leading = exponent + bitLength(significand) - 1;
  const unbounded = leading - format.precision + 1;
  const quantum = Math.max(unbounded, format.minQuantum);
  const { integer, inexact } = roundShift(mode, sign, significand, quantum - exponent);
  // The hidden bit of a normal number adds 1 to the exponent field, and so does a carry out of the significand.
  const magnitude = integer + (BigInt(quantum - format.minQuantum) << BigInt(format.precision - 1));
  if (magnitude >= infinity(format, 0)) return overflow(format, mode, sign);
  if (!inexact) return result(withSign(format, sign, magnitude));
  const normal = bitLength(roundShift(mode, sign, significand, unbounded - exponent).integer) > format.precision;
  const tiny = unbounded < format.minQuantum - 1 || (unbounded === format.minQuantum - 1 && !normal);
  return result(withSign(format, sign, magnitude), Flag.inexact | (tiny ? Flag.underflow : 0));
}

function overflow(format: Format, mode: Rounding, sign: 0 | 1): FloatResult {
  const inwards = mode === Rounding.rtz || mode === (sign === 1 ? Rounding.rup : Rounding.rdn);
  const value = inwards ? largestFinite(format, sign) : infinity(format, sign);
  return result(value, Flag.overflow | Flag.inexact);
}
