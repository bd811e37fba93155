/** The assembler: what it writes is what the disassembler reads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble } from "./assemble.ts";
import { disassemble } from "./disassemble.ts";
import { insertFields } from "./instruction.ts";
import { compressedInstructions, instructions } from "./table/index.ts";

const wordAt = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

const listing = (text: string, base = 0): string[] => {
  const { bytes } = assemble(text, base);
  return Array.from({ length: bytes.length / 4 }, (_, index) => disassemble(wordAt(bytes, 4 * index)));
};

test("assemble: reads back every instruction that disassemble prints", () => {
  const fields = { rd: 9, rs1: 10, rs2: 11, rs3: 12, rm: 1, imm: 64, aq: 1, rl: 0 };
  for (const form of [...instructions, ...compressedInstructions]) {
    const word = insertFields(form, fields);
    const text = disassemble(word);
    // Some compressed forms have no such operands.
    if (/^\.(half|word)/.test(text)) continue;
    const { bytes } = assemble(text);
    const padded = new Uint8Array(4);
    padded.set(bytes);
    assert.equal(bytes.length, text.startsWith("c.") ? 2 : 4, text);
    assert.equal(disassemble(wordAt(padded, 0)), text);
  }
});

test("assemble: labels are distances in branches and addresses in data", () => {
  const { bytes, labels } = assemble("here: beq a0, a1, there\nnop\nthere: jal ra, here\n.word there", 0x8000_0000);
  assert.equal(disassemble(wordAt(bytes, 0)), "beq a0, a1, 8");
  assert.equal(disassemble(wordAt(bytes, 8)), "jal ra, -8");
  assert.equal(wordAt(bytes, 12), 0x8000_0008);
  assert.equal(labels.get("there"), 0x8000_0008);
});

test("assemble: pseudo-instructions split constants and distances", () => {
  assert.deepEqual(listing("li a0, 0x12345fff"), ["lui a0, 305422336", "addiw a0, a0, -1"]);
  assert.deepEqual(listing("la a0, end\nend:", 0x8000_0000), ["auipc a0, 0", "addi a0, a0, 8"]);
});

test("assemble: data is placed, aligned and named", () => {
  const { bytes, labels } = assemble(".half 1\n.align 8\ndata: .dword 0x1122334455667788\n.space 3");
  assert.equal(bytes.length, 19);
  assert.equal(labels.get("data"), 8);
  assert.equal(bytes[8], 0x88);
});

test("assemble: refuses what is no instruction, and immediates that do not fit", () => {
  for (const text of ["frobnicate a0", "add a0, a1", "addi a0, a0, 4096", "addi a0, a9, 1", "beq a0, a1, nowhere"]) {
    assert.throws(() => assemble(text), new RegExp(text.split(" ")[0]!));
  }
});
