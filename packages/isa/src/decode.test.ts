import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, instructionNamed } from "./decode.ts";
import { disassemble } from "./disassemble.ts";
import { extractFields, insertFields } from "./instruction.ts";
import { compressedInstructions, extensions, instructions } from "./table/index.ts";

test("instructions: every name is declared once", () => {
  const names = instructions.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});

test("instructions: every compressed instruction expands to one of the table", () => {
  for (const { expansion } of compressedInstructions) assert.doesNotThrow(() => instructionNamed(expansion));
});

test("decode: gives each instruction back for its own encoding with all operand bits 0 and 1", () => {
  for (const instruction of instructions) {
    for (const bits of [0, 0xffff_ffff]) {
      const word = (instruction.match | (bits & ~instruction.mask)) >>> 0;
      const found = decode(word)?.instruction;
      const moreSpecific = found !== undefined && (found.mask & instruction.mask) >>> 0 === instruction.mask;
      assert.ok(found === instruction || moreSpecific, `${instruction.name}: ${word.toString(16)} is ${found?.name}`);
    }
  }
});

test("encode: is undone by decode for every field", () => {
  const fields = { rd: 13, rs1: 21, rs2: 30, rs3: 7, rm: 2, aq: 1, rl: 0 };
  for (const instruction of instructions) {
    const imm = instruction.pieces.some(({ field }) => field === "imm") ? lowestImmediate(instruction.name) : 0;
    const word = encode(instruction.name, { ...fields, imm });
    const found = extractFields(instruction, word);
    for (const { field } of instruction.pieces) {
      assert.equal(found[field], { ...fields, imm }[field], `${instruction.name} ${field}`);
    }
  }
});

/** An immediate that the instruction can hold: negative where it is signed, with the bits it lacks 0. */
function lowestImmediate(name: string): number {
  const instruction = instructionNamed(name);
  const all = extractFields(instruction, insertFields(instruction, { imm: -1 }));
  return all.imm;
}

test("decode: refuses the all-zero and the all-one word", () => {
  assert.equal(decode(0), undefined);
  assert.equal(decode(0xffff_ffff), undefined);
});

test("decode: expands compressed instructions", () => {
  const examples: [number, string][] = [
    [0x0001, "addi rd=0 rs1=0 imm=0"], // c.nop
    [0x1141, "addi rd=2 rs1=2 imm=-16"], // c.addi sp, -16
    [0xe406, "sd rs1=2 rs2=1 imm=8"], // c.sdsp ra, 8(sp)
    [0x60a2, "ld rd=1 rs1=2 imm=8"], // c.ldsp ra, 8(sp)
    [0x8082, "jalr rd=0 rs1=1 imm=0"], // c.jr ra
    [0x9002, "ebreak "], // c.ebreak
    [0x7179, "addi rd=2 rs1=2 imm=-48"], // c.addi16sp -48
    [0x1008, "addi rd=10 rs1=2 imm=32"], // c.addi4spn a0, 32
    [0x7c05, "lui rd=24 imm=-126976"], // c.lui s8, 0xfffe1
    [0xa001, "jal rd=0 imm=0"], // c.j .
    [0xdffd, "beq rs1=15 rs2=0 imm=-2"], // c.beqz a5, .-2
  ];
  for (const [half, expected] of examples) {
    const decoded = decode(half)!;
    const pieces = new Set(decoded.instruction.pieces.map(({ field }) => field));
    const shown = [...(["rd", "rs1", "rs2", "imm"] as const)].filter((field) => pieces.has(field));
    const text = `${decoded.instruction.name} ${shown.map((field) => `${field}=${decoded[field]}`).join(" ")}`;
    assert.equal(text, expected, half.toString(16));
    assert.equal(decoded.length, 2);
  }
});

test("decode: refuses reserved compressed encodings", () => {
  // c.addi4spn 0, c.addiw x0, c.addi16sp 0, c.lwsp x0, c.ldsp x0, c.jr x0, and the reserved slots of quadrant 1.
  for (const half of [0x0004, 0x2001, 0x6101, 0x4002, 0x6002, 0x8002, 0x9c41, 0x9c61]) {
    assert.equal(decode(half), undefined, half.toString(16));
  }
});

test("disassemble: writes operands as the assembler does", () => {
  assert.equal(disassemble(encode("addi", { rd: 10, rs1: 2, imm: -3 })), "addi a0, sp, -3");
  assert.equal(disassemble(encode("lw", { rd: 5, rs1: 8, imm: 12 })), "lw t0, 12(s0)");
  assert.equal(disassemble(encode("fadd.d", { rd: 0, rs1: 1, rs2: 10, rm: 7 })), "fadd.d ft0, ft1, fa0, dyn");
  assert.equal(disassemble(encode("amoadd.w", { rd: 1, rs1: 2, rs2: 3, aq: 1, rl: 1 })), "amoadd.w.aqrl ra, gp, (sp)");
  assert.equal(disassemble(encode("csrrwi", { rd: 0, rs1: 5, imm: 0x300 })), "csrrwi zero, 0x300, 5");
  assert.equal(disassemble(0x8082), "c.jr ra");
  assert.equal(disassemble(0xffff_ffff), ".word 0xffffffff");
});

test("extensions: hold what the instruction set promises", () => {
  const promised =
    "i m a f d zicsr zifencei zba zbb zbc zbs zicbom zicboz zicond zfa zfhmin zihintpause zawrs zacas svinval";
  for (const name of promised.split(" ")) assert.ok(name in extensions, name);
});
