/**
 * The table of floating-point operations of F, D, Zfhmin and Zfa, named `operation.format` or `convert.to.from`.
 * Operands and results are 64-bit registers: an operation itself unboxes narrower operands, boxes its result and
 * sign-extends 32-bit integers. Who calls it: the oracle, and the machine's operations as their slow path.
 */
import { add, div, fma, mul, sqrt, sub } from "./arithmetic.ts";
import { classify, comparison, extremum } from "./compare.ts";
import { constantBits } from "./constants.ts";
import {
  fromInteger,
  type IntegerFormatName,
  integerFormats,
  toFormat,
  toInteger,
  toIntegerModular,
  toIntegral,
} from "./convert.ts";
import { Flag, type FloatResult, type Rounding, result } from "./flags.ts";
import { box, type Float, type FormatName, formats, unbox, unpack } from "./format.ts";

export interface FloatOperationEntry {
  /** What the operands are; all of an operation are the same. `index` is a constant's number. */
  readonly from: FormatName | IntegerFormatName | "index";
  /** What the result is; `integer` is 64 bits that need no conversion. */
  readonly to: FormatName | IntegerFormatName | "integer";
  readonly arity: 1 | 2 | 3;
  /** Whether the instruction has a rounding mode, even where it cannot matter: an invalid one is illegal. */
  readonly rounds: boolean;
  /** Evaluates on registers. */
  readonly evaluate: (mode: Rounding, a: bigint, b: bigint, c: bigint) => FloatResult;
}

type Arithmetic = "f32" | "f64";
type Evaluation = (mode: Rounding, a: Float, b: Float, c: Float) => FloatResult;
const absent: Float = { kind: "zero", sign: 0, exponent: 0, significand: 0n, signaling: false };

/** An entry whose operands are floating-point data. */
function onFloats(
  from: FormatName,
  to: FloatOperationEntry["to"],
  arity: 1 | 2 | 3,
  rounds: boolean,
  evaluation: Evaluation,
): FloatOperationEntry {
  const open = (register: bigint): Float => unpack(formats[from], unbox(formats[from], register));
  const evaluate: FloatOperationEntry["evaluate"] = (mode, a, b, c) =>
    close(to, evaluation(mode, open(a), arity > 1 ? open(b) : absent, arity > 2 ? open(c) : absent));
  return { from, to, arity, rounds, evaluate };
}

const isFloatFormat = (name: string): name is FormatName => name in formats;

function close(to: FloatOperationEntry["to"], { value, flags }: FloatResult): FloatResult {
  return isFloatFormat(to) ? result(box(formats[to], value), flags) : result(value, flags);
}

/** The operations that single and double precision both have. */
function arithmetic(name: Arithmetic) {
  const format = formats[name];
  const rounded = (arity: 1 | 2 | 3, evaluation: Evaluation) => onFloats(name, name, arity, true, evaluation);
  const chosen = (...choice: Parameters<typeof extremum>) =>
    onFloats(name, name, 2, false, (_, a, b) => extremum(...choice)(format, a, b));
  const compared = (...relation: Parameters<typeof comparison>) =>
    onFloats(name, "integer", 2, false, (_, a, b) => comparison(...relation)(a, b));
  return {
    add: rounded(2, (mode, a, b) => add(format, mode, a, b)),
    sub: rounded(2, (mode, a, b) => sub(format, mode, a, b)),
    mul: rounded(2, (mode, a, b) => mul(format, mode, a, b)),
    div: rounded(2, (mode, a, b) => div(format, mode, a, b)),
    sqrt: rounded(1, (mode, a) => sqrt(format, mode, a)),
    fma: rounded(3, (mode, a, b, c) => fma(format, mode, a, b, c)),
    round: rounded(1, (mode, a) => toIntegral(format, mode, a, 0)),
    roundnx: rounded(1, (mode, a) => toIntegral(format, mode, a, Flag.inexact)),
    min: chosen("less", "number"),
    max: chosen("greater", "number"),
    minm: chosen("less", "nan"),
    maxm: chosen("greater", "nan"),
    eq: compared(["equal"], "quiet"),
    lt: compared(["less"], "signaling"),
    le: compared(["less", "equal"], "signaling"),
    ltq: compared(["less"], "quiet"),
    leq: compared(["less", "equal"], "quiet"),
    class: onFloats(name, "integer", 1, false, (_, a) => classify(format, a)),
    fli: {
      from: "index",
      to: name,
      arity: 1,
      rounds: false,
      evaluate: (_, index) => close(name, result(constantBits(format, Number(index)))),
    } satisfies FloatOperationEntry as FloatOperationEntry,
  };
}

const floatToInteger = (to: IntegerFormatName, from: Arithmetic): FloatOperationEntry =>
  onFloats(from, to, 1, true, (mode, a) => toInteger(integerFormats[to], mode, a));
const integerToFloat = (to: Arithmetic, from: IntegerFormatName): FloatOperationEntry => ({
  from,
  to,
  arity: 1,
  rounds: true,
  evaluate: (mode, a) => close(to, fromInteger(formats[to], mode, integerFormats[from], a)),
});
const floatToFloat = (to: FormatName, from: FormatName): FloatOperationEntry =>
  onFloats(from, to, 1, true, (mode, a) => toFormat(formats[to], mode, a));

/** Adds a suffix to the names of a record. */
function suffixed<Name extends string, const Suffix extends string>(
  suffix: Suffix,
  entries: Record<Name, FloatOperationEntry>,
): Record<`${Name}.${Suffix}`, FloatOperationEntry> {
  const renamed = Object.entries<FloatOperationEntry>(entries).map(([name, entry]) => [`${name}.${suffix}`, entry]);
  return Object.fromEntries(renamed);
}

/** The conversions from each of `froms` to each of `tos`. */
function conversions<const To extends string, const From extends string>(
  tos: readonly To[],
  froms: readonly From[],
  declare: (to: To, from: From) => FloatOperationEntry,
): Record<`convert.${To}.${From}`, FloatOperationEntry> {
  const pairs = tos.flatMap((to) => froms.map((from) => [`convert.${to}.${from}`, declare(to, from)]));
  return Object.fromEntries(pairs);
}

const integers = ["i32", "u32", "i64", "u64"] as const;

export const floatOperations = {
  ...suffixed("f32", arithmetic("f32")),
  ...suffixed("f64", arithmetic("f64")),
  ...conversions(integers, ["f32", "f64"], floatToInteger),
  ...conversions(["f32", "f64"], integers, integerToFloat),
  ...conversions(["f16"], ["f32", "f64"], floatToFloat),
  ...conversions(["f32"], ["f16", "f64"], floatToFloat),
  ...conversions(["f64"], ["f16", "f32"], floatToFloat),
  /** fcvtmod.w.d, whose rounding mode is always towards zero. */
  "modular.i32.f64": onFloats("f64", "i32", 1, false, (_, a) => toIntegerModular(a)),
} as const;

export type FloatOperation = keyof typeof floatOperations;
/** Every operation; its position is its number. */
export const floatOperationNames = Object.keys(floatOperations) as readonly FloatOperation[];

/** Evaluates an operation on registers: its result and the flags that it raises. Absent operands are ignored. */
export function evaluateFloat(operation: FloatOperation, mode: number, a: bigint, b = 0n, c = 0n): FloatResult {
  return floatOperations[operation].evaluate(mode as Rounding, a, b, c);
}
