/**
 * Operands for tests of floating-point operations: corners, few-bit numbers, neighbours and random bits. Who calls it:
 * the tests of every implementation.
 */
import { box, type Format, formats, infinity, withSign } from "./format.ts";
import { evaluateFloat, type FloatOperation, type FloatOperationEntry, floatOperations } from "./operations.ts";

/** Gives 32 random bits as an unsigned number. */
export type RandomBits = () => number;

const random64 = (random: RandomBits): bigint => (BigInt(random()) << 32n) | BigInt(random());
const below = (random: RandomBits, limit: number): number => random() % limit;
const pick = <Item>(random: RandomBits, items: readonly Item[]): Item => items[below(random, items.length)]!;

/** Magnitudes at which behaviour changes: zero, the ends of the subnormal and normal ranges, 1, infinity, NaNs. */
function corners(format: Format): bigint[] {
  const normal = 1n << BigInt(format.precision - 1);
  const infinite = infinity(format, 0);
  const one = BigInt(format.specialExponent >> 1) << BigInt(format.precision - 1);
  const around = [normal, one, one + normal, infinite].flatMap((bits) => [bits - 1n, bits, bits + 1n]);
  return [0n, 1n, 2n, ...around, one + (normal >> 1n), infinite | (normal >> 1n), infinite | (normal - 1n)];
}

const cornersOf = { f16: corners(formats.f16), f32: corners(formats.f32), f64: corners(formats.f64) };

function sampleFloat(name: keyof typeof formats, random: RandomBits): bigint {
  const format = formats[name];
  const sign = (random() & 1) as 0 | 1;
  const kind = below(random, 8);
  if (kind === 0) return withSign(format, sign, pick(random, cornersOf[name]));
  const bits = BigInt.asUintN(format.width - 1, random64(random));
  if (kind === 1) return withSign(format, sign, bits);
  // Exponents near each other's, or near the ends of the range; significands of all, few or trailing ones.
  const centre = pick(random, [
    format.specialExponent >> 1,
    format.specialExponent >> 1,
    1,
    format.specialExponent - 1,
  ]);
  const spread = pick(random, [2, 8, 2 * format.precision]);
  const exponent = Math.min(Math.max(centre + below(random, 2 * spread + 1) - spread, 0), format.specialExponent - 1);
  const fractionBits = format.precision - 1;
  const cleared = pick(random, [0, below(random, fractionBits + 1), fractionBits - below(random, 4)]);
  const fraction = (BigInt.asUintN(fractionBits, bits) >> BigInt(cleared)) << BigInt(cleared);
  const runs = kind === 2 ? BigInt.asUintN(fractionBits, ~fraction) : fraction;
  return withSign(format, sign, (BigInt(exponent) << BigInt(fractionBits)) | runs);
}

/** An integer of random length, near a power of two more often than not; the bits above its format are random. */
function sampleInteger(random: RandomBits): bigint {
  const length = BigInt(below(random, 65));
  const magnitude = pick(random, [random64(random), -1n, BigInt(below(random, 5)) - 2n, random64(random) << 40n]);
  const value = BigInt.asUintN(Number(length), magnitude) + (1n << length) + BigInt(below(random, 5)) - 2n;
  return BigInt.asUintN(64, random() & 1 ? value : -value);
}

function sampleRegister(from: FloatOperationEntry["from"], random: RandomBits): bigint {
  if (from === "index") return BigInt(below(random, 32));
  if (from !== "f16" && from !== "f32" && from !== "f64") return sampleInteger(random);
  if (from !== "f64" && below(random, 64) === 0) return random64(random);
  return box(formats[from], sampleFloat(from, random));
}

/** Registers for the three operands of an operation, some of them chosen so that sums cancel or nearly do. */
export function sampleOperands(operation: FloatOperation, random: RandomBits): [bigint, bigint, bigint] {
  const { from, arity } = floatOperations[operation];
  const [a, b, c] = [sampleRegister(from, random), sampleRegister(from, random), sampleRegister(from, random)];
  if ((from !== "f32" && from !== "f64") || arity === 1 || random() & 3) return [a, b, c];
  const negative = 1n << BigInt(formats[from].width - 1);
  const near = (value: bigint): bigint => BigInt.asUintN(64, (value ^ negative) + BigInt(below(random, 5)) - 2n);
  if (arity === 2) return [a, random() & 1 ? near(a) : near(a) ^ negative, c];
  return [a, b, near(evaluateFloat(`mul.${from}`, 0, a, b).value)];
}
