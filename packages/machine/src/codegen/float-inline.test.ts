import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  evaluateFloat,
  FloatFlag,
  type FloatOperation,
  floatOperationNames,
  floatOperations,
  sampleOperands,
} from "@bulkhead/isa";
import { type FloatFunctions, floatFunctions } from "../float/index.ts";
import { HartState, hartBase } from "../hart/layout.ts";
import { HART_AREA } from "../memory.ts";
import { Random, seedOf } from "../testing/random-node.ts";
import { ModuleBuilder, Op, ValueType } from "../wasm/index.ts";
import { Expression } from "./expression.ts";
import { InlineFloat } from "./float-inline.ts";
import { RuntimeImports } from "./runtime-functions.ts";

const { i32, i64 } = ValueType;
const hart = hartBase(0);
const pages = (hart + HART_AREA) / 65536;
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
const words = new Int32Array(memory.buffer);
const slot = (offset: number): number => (hart + offset) >> 2;
const seed = seedOf("float-inline");
const random = new Random(seed);

const DYNAMIC = 7;
const ROUNDS = 200;
/** What an inline path gives where the mode is none. */
const ILLEGAL = 0x1234n;
/** The rm fields that an instruction may have. */
const fieldsOf = (name: FloatOperation): (number | undefined)[] =>
  floatOperations[name].rounds ? [0, 1, 2, 3, 4, DYNAMIC] : [undefined];
const keyOf = (name: FloatOperation, rm: number | undefined, form: Form): string => `${name} ${rm} ${form}`;

type Inline = (hart: number, a: bigint, b: bigint, c: bigint) => bigint;
/** How operands are given: as registers, or negated by an operation as those of fnmadd are. */
const forms = ["registers", "negated"] as const;
type Form = (typeof forms)[number];

/** A module with a function for every operation that is done inline, for each rm field. */
function inlineFunctions(exact: FloatFunctions): Record<string, Inline> {
  const module = new ModuleBuilder();
  module.importMemory("env", "memory", 1);
  const imports = new RuntimeImports(module);
  for (const name of floatOperationNames) imports.float(name);
  for (const name of floatOperationNames) {
    for (const rm of fieldsOf(name)) {
      for (const form of forms) emitFunction(module, imports, name, rm, form);
    }
  }
  const compiled = new WebAssembly.Module(module.finish());
  const { exports } = new WebAssembly.Instance(compiled, {
    env: { memory },
    float: exact as unknown as WebAssembly.ModuleImports,
  });
  return exports as Record<string, Inline>;
}

function emitFunction(
  module: ModuleBuilder,
  imports: RuntimeImports,
  name: FloatOperation,
  rm: number | undefined,
  form: Form,
): void {
  const b = module.function([i32, i64, i64, i64], [i64], keyOf(name, rm, form));
  const { arity, from } = floatOperations[name];
  const sign = Expression.constant(signOf(from));
  const operands = [1, 2, 3].slice(0, arity).map((local) => {
    const operand = Expression.local(local);
    return form === "negated" && sign.value !== 0n ? Expression.operation(Op.i64_xor, operand, sign) : operand;
  });
  const inline = new InlineFloat(b, imports, () => b.i64(ILLEGAL).return());
  inline.load();
  inline.requireEnabled();
  const result = inline.emit(name, rm, operands);
  if (result !== undefined) result.emit(b);
  else {
    b.get(0).i32(rm ?? 0);
    for (const operand of operands) operand.emit(b);
    b.call(imports.float(name));
  }
}

const signOf = (from: string): bigint => (from === "f64" ? 1n << 63n : from === "f32" ? 1n << 31n : 0n);

function check(functions: Record<string, Inline>, name: FloatOperation, rm: number | undefined, form: Form): void {
  const before = random.pick([0, FloatFlag.inexact, FloatFlag.inexact, random.below(32)]);
  const frm = random.pick([0, 0, random.below(5)]);
  const operands = sampleOperands(name, () => random.word());
  words[slot(HartState.fflags)] = before;
  words[slot(HartState.frm)] = frm;
  words[slot(HartState.floatDirty)] = 0;
  const value = BigInt.asUintN(64, functions[keyOf(name, rm, form)]!(hart, ...operands));
  const sign = form === "negated" ? signOf(floatOperations[name].from) : 0n;
  const [x, y, z] = operands.map((operand) => BigInt.asUintN(64, operand) ^ sign) as [bigint, bigint, bigint];
  const wanted = evaluateFloat(name, rm === DYNAMIC ? frm : (rm ?? 0), x, y, z);
  const [found, flags] = [words[slot(HartState.fflags)], before | wanted.flags];
  const dirty = words[slot(HartState.floatDirty)] === 1;
  if (value === wanted.value && found === flags && (flags === before || dirty)) return;
  const shown = operands.map((operand) => operand.toString(16)).join(" ");
  assert.fail(
    `${keyOf(name, rm, form)} frm ${frm} of ${shown} after ${before}: ${value.toString(16)} flags ${found}, ` +
      `expected ${wanted.value.toString(16)} flags ${flags}; seed ${seed}`,
  );
}

words[slot(HartState.floatEnabled)] = 1;

describe("InlineFloat", () => {
  const functions = inlineFunctions(floatFunctions(memory));

  test("InlineFloat: agrees with the exact reference on values, flags and dirtiness for every rm field", () => {
    for (const name of floatOperationNames) {
      for (const rm of fieldsOf(name)) {
        for (let round = 0; round < ROUNDS; round++) for (const form of forms) check(functions, name, rm, form);
      }
    }
  });

  test("InlineFloat: takes the dynamic mode for illegal if frm holds none, whatever the flags", () => {
    for (const name of floatOperationNames.filter((name) => floatOperations[name].rounds)) {
      for (const frm of [5, 6, 7]) {
        words[slot(HartState.frm)] = frm;
        words[slot(HartState.fflags)] = random.pick([0, FloatFlag.inexact]);
        words[slot(HartState.signal)] = 0;
        const value = functions[keyOf(name, DYNAMIC, "registers")]!(hart, 1n, 1n, 1n);
        assert.ok(value === ILLEGAL || words[slot(HartState.signal)] !== 0, `${name} frm ${frm}`);
      }
    }
    words[slot(HartState.signal)] = 0;
  });

  test("InlineFloat: takes every operation for illegal while floating point is off", () => {
    words[slot(HartState.floatEnabled)] = 0;
    words[slot(HartState.frm)] = 0;
    words[slot(HartState.fflags)] = FloatFlag.inexact;
    for (const name of floatOperationNames) {
      const value = functions[keyOf(name, fieldsOf(name)[0], "registers")]!(hart, 1n, 1n, 1n);
      assert.equal(value, ILLEGAL, name);
    }
    words[slot(HartState.floatEnabled)] = 1;
  });

  test("InlineFloat: takes ordinary operands without the exact functions", () => {
    const refusals = floatOperationNames.map((name) => [name, () => assert.fail(`${name} called its exact function`)]);
    const called = inlineFunctions(Object.fromEntries(refusals) as FloatFunctions);
    const bits = (value: number): bigint => new BigUint64Array(new Float64Array([value]).buffer)[0]!;
    const boxed = (value: number): bigint =>
      BigInt(new Uint32Array(new Float32Array([value]).buffer)[0]!) | 0xffff_ffff_0000_0000n;
    words[slot(HartState.fflags)] = FloatFlag.inexact;
    words[slot(HartState.frm)] = 0;
    for (const name of floatOperationNames) {
      if (/^(round|fli)|f16/.test(name)) continue;
      const { from, rounds } = floatOperations[name];
      const give = from === "f64" ? bits : from === "f32" ? boxed : BigInt;
      const operands = from === "f64" || from === "f32" ? [1.1, 2.7, 1e10] : [12345, 0, 0];
      const [x, y, z] = operands.map(give) as [bigint, bigint, bigint];
      called[keyOf(name, rounds ? DYNAMIC : undefined, "registers")]!(hart, x, y, z);
    }
  });
});
