/** Instruction words as assembly text, in the notation of the GNU assembler without pseudo-instructions. */
import { type Decoded, decode } from "./decode.ts";
import { extractFields, type FieldName, type Fields } from "./instruction.ts";

export const registerNames =
  "zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split(" ");

export const floatRegisterNames = (
  "ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 " +
  "fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11"
).split(" ");

export const roundingModes = ["rne", "rtz", "rdn", "rup", "rmm", "unknown", "unknown", "dyn"];

/** Text of the instruction in a 32-bit word; an illegal one is shown as data. */
export function disassemble(word: number): string {
  const decoded = decode(word);
  if (decoded === undefined) return (word & 3) === 3 ? `.word ${hex(word >>> 0)}` : `.half ${hex(word & 0xffff)}`;
  const shown = decoded.compressed ?? decoded.instruction;
  const fields = decoded.compressed ? extractFields(decoded.compressed, word & 0xffff) : decoded;
  const operands = shown.operands.replace(/fd|fs[123]|rd|rs[123]|rm|imm|csr|zimm/g, (name) => operand(name, fields));
  return `${shown.name}${ordering(decoded)} ${operands}`.trim();
}

function operand(name: string, fields: Fields<number>): string {
  if (name === "imm") return String(fields.imm);
  if (name === "csr") return hex(fields.imm);
  if (name === "zimm") return String(fields.rs1);
  if (name === "rm") return roundingModes[fields.rm]!;
  if (name.startsWith("f")) return floatRegisterNames[fields[`r${name.slice(1)}` as FieldName]]!;
  return registerNames[fields[name as FieldName]]!;
}

const ordering = ({ aq, rl }: Decoded): string => (aq && rl ? ".aqrl" : aq ? ".aq" : rl ? ".rl" : "");

const hex = (value: number): string => `0x${value.toString(16)}`;
