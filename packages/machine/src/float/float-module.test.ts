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
import { HartState, hartBase, Signal } from "../hart/layout.ts";
import { HART_AREA } from "../memory.ts";
import { Random, seedOf } from "../testing/random-node.ts";
import { type FloatFunctions, floatFunctions, floatModule, instantiateFloat } from "./float-module.ts";
import { isMultiplyAddFused } from "./fused.ts";
import { softFloat } from "./soft-float.ts";

const hart = hartBase(0);
const hartPages = (hart + HART_AREA) / 65536;
const DYNAMIC = 7;
const ROUNDS = 300;

const memory = new WebAssembly.Memory({ initial: hartPages, maximum: hartPages, shared: true });
const words = new Int32Array(memory.buffer);
const slot = (offset: number): number => (hart + offset) >> 2;

const seed = seedOf("float-module");
const generator = new Random(seed);
const random = (): number => generator.word();

const bitsOf = (value: number): bigint => new BigUint64Array(new Float64Array([value]).buffer)[0]!;
const register = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Runs one operation with flags already accrued, and holds value, flags and dirtiness against the reference. */
function check(functions: FloatFunctions, operation: FloatOperation, mode: number, operands: [bigint, bigint, bigint]) {
  const before = random() & 1 ? random() & 31 : 0;
  const dynamic = random() & 1;
  words[slot(HartState.fflags)] = before;
  words[slot(HartState.frm)] = dynamic ? mode : random() % 8;
  words[slot(HartState.floatDirty)] = 0;
  const value = register(functions[operation](hart, dynamic ? DYNAMIC : mode, ...operands));
  const wanted = evaluateFloat(operation, mode, ...operands);
  const found = { value, flags: words[slot(HartState.fflags)], dirty: words[slot(HartState.floatDirty)] };
  const flags = before | wanted.flags;
  if (found.value === wanted.value && found.flags === flags && (flags === before || found.dirty === 1)) return;
  const shown = operands.map((operand) => operand.toString(16)).join(" ");
  const text = ({ value, flags }: { value: bigint; flags?: number }) => `${value.toString(16)} flags ${flags}`;
  assert.fail(
    `${operation} mode ${mode} of ${shown} after flags ${before}: ${text(found)} dirty ${found.dirty}, expected ${text({ ...wanted, flags })}; seed ${seed}`,
  );
}

function agree(functions: FloatFunctions, operations: readonly FloatOperation[], rounds: number): void {
  for (const operation of operations) {
    for (let mode = 0; mode <= 4; mode++) {
      for (let i = 0; i < rounds; i++) check(functions, operation, mode, sampleOperands(operation, random));
    }
  }
}

describe("floatModule", () => {
  test("floatModule: agrees with the exact reference on values, flags and dirtiness in every rounding mode", (t) => {
    t.diagnostic(`seed ${seed}`);
    agree(floatFunctions(memory), floatOperationNames, ROUNDS);
  });

  test("floatModule: agrees with the reference without the host's fused multiply-add", (t) => {
    t.diagnostic(`seed ${seed}`);
    agree(instantiateFloat(new WebAssembly.Module(floatModule(false)), memory), ["fma.f64"], 10 * ROUNDS);
  });

  test("floatModule: calls a root inexact whose square rounds to its subnormal operand", () => {
    const functions = floatFunctions(memory);
    for (let root = 2n ** 26n + 1n; root < 2n ** 26n + 4001n; root += 2n) {
      if ((root * root) % 16n === 1n) check(functions, "sqrt.f64", 0, [(root * root) >> 4n, 0n, 0n]);
    }
  });

  test("floatModule: takes ordinary operands without the slow path", () => {
    const module = new WebAssembly.Module(floatModule(isMultiplyAddFused()));
    const functions = instantiateFloat(module, memory, () => assert.fail("the slow path was called"));
    const [x, y, z] = [bitsOf(1.1), bitsOf(-2.7), bitsOf(1e10)];
    words[slot(HartState.fflags)] = FloatFlag.inexact;
    words[slot(HartState.frm)] = 0;
    for (const operation of floatOperationNames) {
      const { from } = floatOperations[operation];
      if (from !== "f64" || operation === "convert.f16.f64") continue;
      const first = /sqrt|[ui](32|64)/.test(operation) ? x : z;
      functions[operation](hart, DYNAMIC, first, y, x);
    }
  });

  test("floatModule: finds exact results without the slow path while no flag is set", () => {
    const module = new WebAssembly.Module(floatModule(isMultiplyAddFused()));
    const functions = instantiateFloat(module, memory, () => assert.fail("the slow path was called"));
    words[slot(HartState.fflags)] = 0;
    for (const operation of ["add.f64", "sub.f64", "mul.f64", "div.f64", "sqrt.f64", "fma.f64"] as const) {
      functions[operation](hart, 0, bitsOf(144), bitsOf(-0.75), bitsOf(1000));
    }
    assert.equal(words[slot(HartState.fflags)], 0);
  });

  test("floatModule: signals an illegal instruction for an invalid rounding mode", () => {
    const functions = floatFunctions(memory);
    const invalid = [
      [5, 0],
      [6, 0],
      [DYNAMIC, 5],
      [DYNAMIC, 6],
      [DYNAMIC, 7],
    ] as const;
    for (const operation of floatOperationNames) {
      for (const [rm, frm] of invalid) {
        words[slot(HartState.signal)] = Signal.none;
        words[slot(HartState.frm)] = frm;
        words[slot(HartState.fflags)] = 0;
        functions[operation](hart, rm, 1n, 1n, 1n);
        const { rounds } = floatOperations[operation];
        assert.equal(words[slot(HartState.signal)], rounds ? Signal.exception : Signal.none, `${operation} rm ${rm}`);
        if (!rounds) continue;
        assert.equal(words[slot(HartState.cause)], 2);
        assert.equal(words[slot(HartState.fflags)], 0);
        words[slot(HartState.signal)] = Signal.none;
      }
    }
  });
});

describe("softFloat", () => {
  test("softFloat: accrues flags and keeps those that are set", () => {
    words[slot(HartState.fflags)] = FloatFlag.underflow;
    words[slot(HartState.floatDirty)] = 0;
    const divide = floatOperationNames.indexOf("div.f64");
    const value = softFloat(words)(hart, divide, 0, bitsOf(1), bitsOf(-0), 0n);
    assert.equal(register(value), bitsOf(-Infinity));
    assert.equal(words[slot(HartState.fflags)], FloatFlag.underflow | FloatFlag.divideByZero);
    assert.equal(words[slot(HartState.floatDirty)], 1);
  });
});
