import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@bulkhead/isa";
import type { Block } from "./control-flow.ts";
import { floatUse } from "./float-use.ts";
import { instructionWord } from "./instruction-word.ts";

const blockOf = (...words: readonly number[]): Block => ({
  offset: 0,
  steps: words.map((word, index) => ({ offset: index * 4, ...instructionWord(word)! })),
  ending: "next",
  edges: [],
});

test("floatUse: holds a register as a double where most of its uses are of double precision", () => {
  const { doubles } = floatUse([
    blockOf(
      encode("fld", { rd: 1, rs1: 10, imm: 0 }),
      encode("fadd.d", { rd: 2, rs1: 1, rs2: 1 }),
      encode("fcvt.s.d", { rd: 3, rs1: 2, rm: 0 }),
      encode("fsw", { rs2: 3, rs1: 10, imm: 8 }),
    ),
    blockOf(encode("flw", { rd: 4, rs1: 10, imm: 0 }), encode("fmv.x.d", { rd: 5, rs1: 5 })),
  ]);
  assert.equal(doubles, (1 << 1) | (1 << 2) | (1 << 5));
});

test("floatUse: sees a rounding mode in arithmetic and not in loads and moves", () => {
  const moves = blockOf(encode("fld", { rd: 1, rs1: 10, imm: 0 }), encode("fsgnj.d", { rd: 2, rs1: 1, rs2: 1 }));
  assert.equal(floatUse([moves]).rounds, false);
  assert.equal(floatUse([moves, blockOf(encode("fmul.s", { rd: 1, rs1: 1, rs2: 1 }))]).rounds, true);
});
