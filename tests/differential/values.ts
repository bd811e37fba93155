/** Operand values that are likely to hurt: corners of the integer and floating-point formats among random ones. */
import type { Random } from "./random.ts";

interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
}

const half: Format = { exponentBits: 5, fractionBits: 10 };
const single: Format = { exponentBits: 8, fractionBits: 23 };
const double: Format = { exponentBits: 11, fractionBits: 52 };

const integerCorners = [0, 1, 2, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff]
  .map(BigInt)
  .concat([0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 32n, (1n << 63n) - 1n, 1n << 63n, 0x0101_0101_0101_0101n]);

/** 64 bits for an integer register: a corner, a corner negated or inverted, or random bits of a random width. */
export function integerValue(random: Random): bigint {
  if (random.chance(40)) return BigInt.asUintN(64, random.doubleword() >> BigInt(random.below(64)));
  const corner = random.pick(integerCorners);
  return BigInt.asUintN(64, random.pick([corner, -corner, ~corner]));
}

/** 64 bits for a floating-point register: a double, a NaN-boxed single or half, or bits that box nothing. */
export function floatValue(random: Random): bigint {
  const kind = random.below(10);
  if (kind < 4) return formatted(random, double);
  if (kind < 8) return (0xffff_ffffn << 32n) | formatted(random, single);
  if (kind === 8) return (0xffff_ffff_ffffn << 16n) | formatted(random, half);
  return random.doubleword();
}

/** Bits for memory, which integer and floating-point loads share. */
export function memoryValue(random: Random): bigint {
  if (random.chance(50)) return random.chance(50) ? integerValue(random) : random.doubleword();
  return random.chance(50) ? floatValue(random) : (formatted(random, single) << 32n) | formatted(random, single);
}

/** A number of a format, by its parts: zero, subnormal, infinity, NaN of either kind, or an exponent near the middle. */
function formatted(random: Random, { exponentBits, fractionBits }: Format): bigint {
  const lastExponent = 2 ** exponentBits - 1;
  const middle = lastExponent >> 1;
  const near = Math.min(lastExponent - 1, middle + random.between(-3, 66));
  const exponent = random.pick([
    0,
    0,
    1,
    lastExponent - 1,
    lastExponent,
    middle,
    near,
    near,
    random.below(lastExponent),
  ]);
  const sign = BigInt(random.below(2)) << BigInt(exponentBits + fractionBits);
  return sign | (BigInt(exponent) << BigInt(fractionBits)) | fraction(random, BigInt(fractionBits));
}

function fraction(random: Random, bits: bigint): bigint {
  const quiet = 1n << (bits - 1n);
  const sparse = 1n << BigInt(random.below(Number(bits)));
  const all = (1n << bits) - 1n;
  return random.pick([0n, 0n, 1n, all, quiet, quiet | 1n, sparse, all ^ sparse, random.doubleword() & all]);
}
