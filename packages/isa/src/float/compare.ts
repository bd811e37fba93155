/** Comparisons, minimum and maximum, and classification. @spec unprivileged "Floating-Point Compare Instructions" */
import { nan } from "./arithmetic.ts";
import { Flag, type FloatResult, result } from "./flags.ts";
import { type Float, type Format, withSign } from "./format.ts";
import { bitLength } from "./round.ts";

type Relation = "less" | "equal" | "greater" | "unordered";

function compare(a: Float, b: Float): Relation {
  if (a.kind === "nan" || b.kind === "nan") return "unordered";
  if (a.kind === "zero" && b.kind === "zero") return "equal";
  const difference = ordinal(a) - ordinal(b);
  return difference < 0n ? "less" : difference > 0n ? "greater" : "equal";
}

/** An integer that orders the data of all formats as the numbers they stand for. */
function ordinal(a: Float): bigint {
  const shift = a.kind === "infinite" ? 2200 : a.exponent + 1100;
  const magnitude = (a.kind === "infinite" ? 1n : a.significand) << BigInt(shift);
  return a.sign === 1 ? -magnitude : magnitude;
}

/** A comparison: 1 if one of `relations` holds. A signaling one is invalid for every NaN, a quiet one for a signaling NaN. */
export const comparison =
  (relations: readonly Relation[], nans: "quiet" | "signaling") =>
  (a: Float, b: Float): FloatResult => {
    const relation = compare(a, b);
    const invalid = a.signaling || b.signaling || (nans === "signaling" && relation === "unordered");
    return result(relations.includes(relation) ? 1n : 0n, invalid ? Flag.invalid : 0);
  };

/** `number` ignores a NaN beside a number (minimumNumber); `nan` lets it through (Zfa's minimum). -0 is below +0. */
export const extremum =
  (wanted: "less" | "greater", preference: "number" | "nan") =>
  (format: Format, a: Float, b: Float): FloatResult => {
    const flags = a.signaling || b.signaling ? Flag.invalid : 0;
    const nans = [a, b].filter(({ kind }) => kind === "nan").length;
    if (nans === 2 || (nans === 1 && preference === "nan")) return nan(format, [a, b]);
    if (nans === 1) return result(pack(format, a.kind === "nan" ? b : a), flags);
    const relation = compare(a, b);
    if (relation !== "equal") return result(pack(format, relation === wanted ? a : b), flags);
    return result(pack(format, (a.sign === 1) === (wanted === "less") ? a : b), flags);
  };

/** The bits of a datum that is no NaN and came from this format. */
function pack(format: Format, a: Float): bigint {
  const field = a.kind === "infinite" ? format.specialExponent : a.exponent - format.minQuantum;
  const offset = a.kind === "zero" ? 0n : BigInt(field) << BigInt(format.precision - 1);
  return withSign(format, a.sign, offset + a.significand);
}

/** One bit of ten that says what kind of datum this is. @spec unprivileged "Floating-Point Classify Instruction" */
export function classify(format: Format, a: Float): FloatResult {
  if (a.kind === "nan") return result(a.signaling ? 1n << 8n : 1n << 9n);
  const subnormal = bitLength(a.significand) < format.precision;
  const magnitude = a.kind === "zero" ? 0 : a.kind === "infinite" ? 3 : subnormal ? 1 : 2;
  return result(1n << BigInt(a.sign === 1 ? 3 - magnitude : 4 + magnitude));
}
