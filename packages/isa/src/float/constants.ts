/** The 32 constants that `fli` loads. @spec unprivileged "Load-Immediate Instructions" */

import { toFormat } from "./convert.ts";
import { Rounding } from "./flags.ts";
import { type Format, formats, infinity, unpack } from "./format.ts";

const MINIMUM_NORMAL = 1;
const INFINITY = 30;
const NAN = 31;

const values = [
  -1,
  0,
  2 ** -16,
  2 ** -15,
  2 ** -8,
  2 ** -7,
  0.0625,
  0.125,
  0.25,
  0.3125,
  0.375,
  0.4375,
  0.5,
  0.625,
  0.75,
  0.875,
  1,
  1.25,
  1.5,
  1.75,
  2,
  2.5,
  3,
  4,
  8,
  16,
  128,
  256,
  2 ** 15,
  2 ** 16,
  0,
  0,
];

/** Bits of constant `index` (0–31) in this format. */
export function constantBits(format: Format, index: number): bigint {
  if (index === MINIMUM_NORMAL) return 1n << BigInt(format.precision - 1);
  if (index === INFINITY) return infinity(format, 0);
  if (index === NAN) return format.canonicalNaN;
  const [bits] = new BigUint64Array(new Float64Array([values[index]!]).buffer);
  return toFormat(format, Rounding.rne, unpack(formats.f64, bits!)).value;
}
