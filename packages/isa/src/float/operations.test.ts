import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Rounding } from "./flags.ts";
import { box, type FormatName, formats, unbox } from "./format.ts";
import { evaluateFloat, type FloatOperation } from "./operations.ts";
import { sampleOperands } from "./sample.ts";

const ROUNDS = 3000;

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
let state = seed;
function random(): number {
  state = (state + 0x6d2b_79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

const doubleBits = (value: number): bigint =>
  Number.isNaN(value) ? formats.f64.canonicalNaN : new BigUint64Array(new Float64Array([value]).buffer)[0]!;
const doubleOf = (bits: bigint): number => new Float64Array(new BigUint64Array([bits]).buffer)[0]!;
const singleBits = (value: number): bigint => {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0]!;
  return box(formats.f32, Number.isNaN(value) ? formats.f32.canonicalNaN : BigInt(bits));
};
const singleOf = (register: bigint): number =>
  new Float32Array(new Uint32Array([Number(unbox(formats.f32, register))]).buffer)[0]!;
const halfBits = (value: number): bigint => {
  const bits = new Uint16Array(new Float16Array([value]).buffer)[0]!;
  return box(formats.f16, Number.isNaN(value) ? formats.f16.canonicalNaN : BigInt(bits));
};
const registerOf: Record<FormatName, (value: number) => bigint> = { f16: halfBits, f32: singleBits, f64: doubleBits };

const binary = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  sqrt: (a: number) => Math.sqrt(a),
  lt: (a: number, b: number) => a < b,
  le: (a: number, b: number) => a <= b,
  eq: (a: number, b: number) => a === b,
};

/** Holds an operation to nearest even against the host's arithmetic on random operands. */
function agree(operation: FloatOperation, native: (a: bigint, b: bigint) => bigint): void {
  for (let i = 0; i < ROUNDS; i++) {
    const operands = sampleOperands(operation, random);
    const { value } = evaluateFloat(operation, Rounding.rne, ...operands);
    const shown = operands.map((operand) => operand.toString(16)).join(" ");
    assert.equal(
      value.toString(16),
      native(operands[0], operands[1]).toString(16),
      `${operation} ${shown}, seed ${seed}`,
    );
  }
}

describe("evaluateFloat against the host", () => {
  for (const [name, compute] of Object.entries(binary) as [keyof typeof binary, (a: number, b: number) => number][]) {
    test(`evaluateFloat: ${name} to nearest even is the host's`, (t) => {
      t.diagnostic(`seed ${seed}`);
      const to = (encode: (value: number) => bigint) => (value: number | boolean) =>
        typeof value === "boolean" ? BigInt(value) : encode(value);
      agree(`${name}.f64`, (a, b) => to(doubleBits)(compute(doubleOf(a), doubleOf(b))));
      // A double has more than twice a single's precision, so rounding its result again is harmless.
      agree(`${name}.f32`, (a, b) => to(singleBits)(compute(singleOf(a), singleOf(b))));
    });
  }

  test("evaluateFloat: conversions between formats to nearest even are the host's", () => {
    agree("convert.f32.f64", (a) => singleBits(doubleOf(a)));
    agree("convert.f64.f32", (a) => doubleBits(singleOf(a)));
    agree("convert.f16.f64", (a) => halfBits(doubleOf(a)));
    agree("convert.f16.f32", (a) => halfBits(singleOf(a)));
  });

  test("evaluateFloat: conversions of integers to nearest even are the host's", () => {
    agree("convert.f64.i64", (a) => doubleBits(Number(BigInt.asIntN(64, a))));
    agree("convert.f64.u64", (a) => doubleBits(Number(a)));
    agree("convert.f64.i32", (a) => doubleBits(Number(BigInt.asIntN(32, a))));
    agree("convert.f32.u32", (a) => singleBits(Number(BigInt.asUintN(32, a))));
  });

  test("evaluateFloat: the modular conversion is ECMAScript's ToInt32", () => {
    agree("modular.i32.f64", (a) => BigInt.asUintN(64, BigInt(doubleOf(a) | 0)));
  });
});

const [NX, UF, OF, DZ, NV] = [1, 2, 4, 8, 16];
const { rne, rtz, rdn, rup, rmm } = Rounding;
const MIN = 2 ** -1074;
const NORMAL = 2 ** -1022;
const MAX = Number.MAX_VALUE;
const SIGNALING = 0x7ff0_0000_0000_0001n;
type Operand = number | bigint;
type Case = [FloatOperation, Rounding, Operand[], Operand, number];

/** Checked by hand. Numbers are doubles, bigints are registers. */
const cases: Record<string, Case[]> = {
  "rounds ties in each mode": [
    ["add.f64", rne, [1, 2 ** -53], 1, NX],
    ["add.f64", rmm, [1, 2 ** -53], 1 + 2 ** -52, NX],
    ["add.f64", rup, [1, 2 ** -53], 1 + 2 ** -52, NX],
    ["add.f64", rdn, [1, 2 ** -53], 1, NX],
    ["add.f64", rdn, [-1, -(2 ** -53)], -1 - 2 ** -52, NX],
    ["add.f64", rmm, [-1, -(2 ** -53)], -1 - 2 ** -52, NX],
    ["add.f64", rtz, [-1, -(2 ** -53)], -1, NX],
    ["add.f64", rup, [1, MIN], 1 + 2 ** -52, NX],
    ["sub.f64", rtz, [1, MIN], 1 - 2 ** -53, NX],
  ],
  "gives an exact zero sum the sign of the rounding mode": [
    ["sub.f64", rne, [1, 1], 0, 0],
    ["sub.f64", rdn, [1, 1], -0, 0],
    ["add.f64", rdn, [-0, 0], -0, 0],
    ["add.f64", rup, [-0, -0], -0, 0],
    ["fma.f64", rdn, [1, 1, -1], -0, 0],
    ["fma.f64", rne, [-0, 1, 0], 0, 0],
  ],
  "overflows to infinity or to the largest number": [
    ["mul.f64", rne, [MAX, 2], Infinity, OF | NX],
    ["mul.f64", rtz, [MAX, 2], MAX, OF | NX],
    ["mul.f64", rdn, [MAX, 2], MAX, OF | NX],
    ["mul.f64", rdn, [-MAX, 2], -Infinity, OF | NX],
    ["mul.f64", rup, [-MAX, 2], -MAX, OF | NX],
    ["mul.f64", rmm, [-MAX, 2], -Infinity, OF | NX],
    ["add.f64", rne, [MAX, 2 ** 969], MAX, NX],
    ["add.f64", rne, [MAX, 2 ** 970], Infinity, OF | NX],
  ],
  "detects tininess after rounding, and only for inexact results": [
    ["mul.f64", rne, [NORMAL, 0.5], NORMAL / 2, 0],
    ["mul.f64", rne, [MIN, 0.5], 0, UF | NX],
    ["mul.f64", rup, [MIN, 0.5], MIN, UF | NX],
    ["mul.f64", rmm, [MIN, 0.5], MIN, UF | NX],
    // Just below the smallest normal number: with an unbounded exponent it rounds up to it, or not.
    ["fma.f64", rne, [-(2 ** -540), 2 ** -536, NORMAL], NORMAL, NX],
    ["fma.f64", rne, [-(2 ** -538), 2 ** -537, NORMAL], NORMAL, UF | NX],
    ["fma.f64", rtz, [-(2 ** -540), 2 ** -536, NORMAL], NORMAL - MIN, UF | NX],
  ],
  "raises division by zero only for a finite dividend": [
    ["div.f64", rne, [1, -0], -Infinity, DZ],
    ["div.f64", rne, [Infinity, 0], Infinity, 0],
    ["div.f64", rne, [0, 0], NaN, NV],
    ["div.f64", rne, [1, Infinity], 0, 0],
  ],
  "gives the canonical NaN, and the invalid flag for signaling NaNs": [
    ["add.f64", rne, [0xfff8_0000_0000_1234n, 1], NaN, 0],
    ["add.f64", rne, [SIGNALING, 1], NaN, NV],
    ["sub.f64", rne, [Infinity, Infinity], NaN, NV],
    ["sqrt.f64", rne, [-1], NaN, NV],
    ["sqrt.f64", rne, [-0], -0, 0],
    ["convert.f32.f64", rne, [SIGNALING], 0xffff_ffff_7fc0_0000n, NV],
  ],
  "calls infinity times zero invalid even beside a quiet NaN": [
    ["fma.f64", rne, [Infinity, 0, NaN], NaN, NV],
    ["fma.f64", rne, [NaN, 0, NaN], NaN, 0],
    ["fma.f64", rne, [Infinity, 1, -Infinity], NaN, NV],
  ],
  "takes a narrower operand that is not boxed for a NaN": [
    ["add.f32", rne, [0x3f80_0000n, 0xffff_ffff_3f80_0000n], 0xffff_ffff_7fc0_0000n, 0],
    ["class.f32", rne, [0x3f80_0000n], 1n << 9n, 0],
    ["convert.f64.f16", rne, [0xffff_ffff_0000_3c00n], NaN, 0],
    ["convert.f64.f16", rne, [0xffff_ffff_ffff_3c00n], 1, 0],
  ],
  "prefers numbers in min and max, NaNs in minm and maxm": [
    ["min.f64", rne, [NaN, 1], 1, 0],
    ["max.f64", rne, [1, SIGNALING], 1, NV],
    ["min.f64", rne, [NaN, SIGNALING], NaN, NV],
    ["min.f64", rne, [0, -0], -0, 0],
    ["max.f64", rne, [-0, 0], 0, 0],
    ["minm.f64", rne, [NaN, 1], NaN, 0],
    ["maxm.f64", rne, [1, SIGNALING], NaN, NV],
    ["maxm.f64", rne, [-1, -2], -1, 0],
  ],
  "compares quietly or not": [
    ["eq.f64", rne, [NaN, NaN], 0n, 0],
    ["eq.f64", rne, [SIGNALING, 1], 0n, NV],
    ["eq.f64", rne, [0, -0], 1n, 0],
    ["lt.f64", rne, [NaN, 1], 0n, NV],
    ["le.f64", rne, [-Infinity, MAX], 1n, 0],
    ["ltq.f64", rne, [NaN, 1], 0n, 0],
    ["leq.f64", rne, [1, SIGNALING], 0n, NV],
  ],
  "saturates conversions to integers and sign-extends 32-bit ones": [
    ["convert.i32.f64", rtz, [-2147483648.9], 0xffff_ffff_8000_0000n, NX],
    ["convert.i32.f64", rdn, [-2147483648.9], 0xffff_ffff_8000_0000n, NV],
    ["convert.i32.f64", rne, [NaN], 0x7fff_ffffn, NV],
    ["convert.u32.f64", rne, [2 ** 32], 0xffff_ffff_ffff_ffffn, NV],
    ["convert.u32.f64", rne, [2 ** 31], 0xffff_ffff_8000_0000n, 0],
    ["convert.u32.f64", rtz, [-0.9], 0n, NX],
    ["convert.u32.f64", rdn, [-0.9], 0n, NV],
    ["convert.u64.f64", rne, [-Infinity], 0n, NV],
    ["convert.i64.f64", rne, [2 ** 63], 0x7fff_ffff_ffff_ffffn, NV],
    ["convert.i64.f64", rmm, [2.5], 3n, NX],
    ["convert.i64.f64", rne, [2.5], 2n, NX],
  ],
  "rounds to integral numbers with and without the inexact flag": [
    ["round.f64", rne, [-0.5], -0, 0],
    ["roundnx.f64", rmm, [-0.5], -1, NX],
    ["roundnx.f64", rup, [2 ** 60], 2 ** 60, 0],
    ["round.f64", rne, [SIGNALING], NaN, NV],
  ],
  "raises the saturating conversion's flags in the modular one": [
    ["modular.i32.f64", rtz, [2 ** 32 + 5.5], 5n, NV],
    ["modular.i32.f64", rtz, [-1.5], 0xffff_ffff_ffff_ffffn, NX],
    ["modular.i32.f64", rtz, [NaN], 0n, NV],
    ["modular.i32.f64", rtz, [2 ** 31], 0xffff_ffff_8000_0000n, NV],
  ],
  classifies: [
    [-Infinity, 0],
    [-1, 1],
    [-MIN, 2],
    [-0, 3],
    [0, 4],
    [MIN, 5],
    [NORMAL, 6],
    [Infinity, 7],
    [SIGNALING, 8],
    [NaN, 9],
  ].map(([operand, bit]): Case => ["class.f64", rne, [operand!], 1n << BigInt(bit!), 0]),
};

describe("evaluateFloat by hand", () => {
  for (const [sentence, list] of Object.entries(cases)) {
    test(`evaluateFloat: ${sentence}`, () => {
      const register = (operand: Operand): bigint => (typeof operand === "bigint" ? operand : doubleBits(operand));
      for (const [operation, mode, operands, value, flags] of list) {
        const [a, b, c] = operands.map(register);
        const found = evaluateFloat(operation, mode, a!, b, c);
        const text = `${operation} mode ${mode} of ${operands}`;
        assert.deepEqual([found.value.toString(16), found.flags], [register(value).toString(16), flags], text);
      }
    });
  }

  test("evaluateFloat: fli knows its 32 constants", () => {
    const constants = [
      -1,
      NaN,
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
      32768,
      65536,
      Infinity,
      NaN,
    ];
    for (const [name, least] of [
      ["f32", 2 ** -126],
      ["f64", NORMAL],
    ] as const) {
      for (const [index, constant] of constants.entries()) {
        const wanted = registerOf[name](index === 1 ? least : constant);
        assert.equal(evaluateFloat(`fli.${name}`, 0, BigInt(index)).value, wanted, `${name} constant ${index}`);
      }
    }
  });
});
