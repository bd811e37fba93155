/**
 * The floating-point module: one WebAssembly function for each operation of `@bulkhead/isa`, with its name, that the
 * interpreter and translated code import. Signature: (hart, rm field, one to three registers) to a register, all
 * registers as the hart holds them. It accrues `fflags` and then sets `floatDirty`; an invalid rounding mode signals an
 * illegal instruction.
 */
import { type FloatOperation, floatOperationNames, floatOperations } from "@bulkhead/isa";
import { ModuleBuilder, ValueType } from "../wasm/index.ts";
import { classify, comparison, extremum, scaled, sum } from "./arithmetic.ts";
import {
  constant,
  fromInteger,
  type IntegerName,
  integral,
  narrow,
  toInteger,
  toIntegral,
  widen,
  widenHalf,
} from "./convert.ts";
import { isProductDouble, isProductSingle } from "./exactness.ts";
import { fmaDoubleEmulated, fmaDoubleFused, fmaSingle } from "./fma.ts";
import { isMultiplyAddFused } from "./fused.ts";
import { type NativeFormat, Routine } from "./routine.ts";
import { type SoftFloat, softFloat } from "./soft-float.ts";

const { i32, i64, f32, f64 } = ValueType;

/** Indices of the functions that fast paths call, and whether the host's multiply-add is fused. */
interface Support {
  readonly isProduct: Readonly<Record<NativeFormat, number>>;
  readonly integral: number;
  readonly fused: boolean;
}

/** The module's bytes; it imports `env.memory` and `env.soft`, a `SoftFloat`. */
export function floatModule(fused: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("env", "memory", 1);
  const soft = module.importFunction("env", "soft", [i32, i32, i32, i64, i64, i64], [i64]);
  const single = module.function([f32, f32, f32], [i32]);
  isProductSingle(single);
  const double = module.function([f64, f64, f64], [i32]);
  isProductDouble(double);
  const rounding = module.function([f64, i32], [f64]);
  integral(rounding);
  const support = { isProduct: { f32: single.index, f64: double.index }, integral: rounding.index, fused };
  for (const [number, name] of floatOperationNames.entries()) {
    const { arity } = floatOperations[name];
    const routine = new Routine(module.function([i32, i32, ...Array(arity).fill(i64)], [i64], name), arity);
    fastPath(routine, name, support);
    routine.finish(soft, number);
  }
  return module.finish();
}

type Emit = (routine: Routine, format: NativeFormat, support: Support, operation: FloatOperation) => void;
type NameIn<Operation> = Operation extends `${infer Name}.f64` ? Name : never;
/** The operations that single and double precision both have. */
type Arithmetic = Exclude<NameIn<FloatOperation>, `${string}.${string}`>;

const fastPaths: Readonly<Record<Arithmetic, Emit>> = {
  add: (routine, format) => sum(routine, format, "add"),
  sub: (routine, format) => sum(routine, format, "sub"),
  mul: (routine, format, { isProduct }) => scaled(routine, format, "mul", isProduct[format]),
  div: (routine, format, { isProduct }) => scaled(routine, format, "div", isProduct[format]),
  sqrt: (routine, format, { isProduct }) => scaled(routine, format, "sqrt", isProduct[format]),
  fma: (routine, format, { isProduct, fused }) => {
    if (format === "f32") fmaSingle(routine);
    else if (fused) fmaDoubleFused(routine, isProduct.f64);
    else fmaDoubleEmulated(routine);
  },
  min: (routine, format) => extremum(routine, format, "min"),
  max: (routine, format) => extremum(routine, format, "max"),
  minm: (routine, format) => extremum(routine, format, "min"),
  maxm: (routine, format) => extremum(routine, format, "max"),
  eq: (routine, format) => comparison(routine, format, "eq"),
  lt: (routine, format) => comparison(routine, format, "lt"),
  le: (routine, format) => comparison(routine, format, "le"),
  ltq: (routine, format) => comparison(routine, format, "lt"),
  leq: (routine, format) => comparison(routine, format, "le"),
  class: classify,
  round: (routine, format, support) => toIntegral(routine, format, false, support.integral),
  roundnx: (routine, format, support) => toIntegral(routine, format, true, support.integral),
  fli: (routine, _format, _support, operation) => constant(routine, operation),
};

function fastPath(routine: Routine, name: FloatOperation, support: Support): void {
  const [operation, to, from] = name.split(".");
  if (operation === "convert") conversion(routine, to!, from!, support);
  else if (operation === "modular") toInteger(routine, "i32", "f64");
  else fastPaths[operation as Arithmetic](routine, to as NativeFormat, support, name);
}

function conversion(routine: Routine, to: string, from: string, support: Support): void {
  if (isInteger(to)) toInteger(routine, to, from as NativeFormat, support.integral);
  else if (isInteger(from)) fromInteger(routine, to as NativeFormat, from);
  else if (to === "f16") routine.leave();
  else if (from === "f16") widenHalf(routine, to as NativeFormat);
  else if (to === "f64") widen(routine);
  else narrow(routine);
}

const isInteger = (name: string): name is IntegerName => /^[iu]/.test(name);

/** The module's functions by the names of their operations. */
export type FloatFunctions = Readonly<
  Record<FloatOperation, (hart: number, rm: number, a: bigint, b?: bigint, c?: bigint) => bigint>
>;

let compiled: WebAssembly.Module | undefined;

/** The floating-point functions on the hart states in a guest's memory. */
export function floatFunctions(memory: WebAssembly.Memory): FloatFunctions {
  compiled ??= new WebAssembly.Module(floatModule(isMultiplyAddFused()));
  return instantiateFloat(compiled, memory);
}

/** The same with a given module and slow path. */
export function instantiateFloat(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  soft: SoftFloat = softFloat(new Int32Array(memory.buffer)),
): FloatFunctions {
  return new WebAssembly.Instance(module, { env: { memory, soft } }).exports as unknown as FloatFunctions;
}
