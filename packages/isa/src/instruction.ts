/**
 * How an instruction is declared: its assembly form, its encoding as the manual prints it, and its semantics.
 * Everything else (decoder, encoder, disassembler, oracle, interpreter, JIT) is derived from these declarations.
 */
import type { Operations } from "./operations.ts";

/** The operand fields an encoding may name. A field that an instruction does not name is 0 in its decoded form. */
export const fieldNames = ["rd", "rs1", "rs2", "rs3", "rm", "imm", "aq", "rl"] as const;
export type FieldName = (typeof fieldNames)[number];
export type Fields<Field> = Readonly<Record<FieldName, Field>>;

export type Semantics = <Value, Field>(o: Operations<Value, Field>, f: Fields<Field>) => void;

/** A contiguous run of instruction bits that holds bits of a field. */
export interface Piece {
  readonly field: FieldName;
  /** Lowest bit in the instruction, number of bits, and lowest bit within the field. */
  readonly at: number;
  readonly width: number;
  readonly bit: number;
}

/** A field in one piece: its lowest bit, the mask of its bits, and what they count from. */
export interface Place {
  readonly at: number;
  readonly mask: number;
  readonly base: number;
}

export interface Encoding {
  readonly length: 2 | 4;
  readonly mask: number;
  readonly match: number;
  readonly pieces: readonly Piece[];
  /** The same for decoding: fields in one piece, and the pieces of the immediate. */
  readonly places: Readonly<Record<Exclude<FieldName, "imm">, Place>>;
  readonly immediate: readonly Piece[];
  /** Fields written with a prime (`rd'`) name one of x8–x15 in three bits. */
  readonly primed: readonly FieldName[];
  /** Width of the immediate if it is signed (`imm`), else 0 (`uimm`). */
  readonly signedWidth: number;
}

export interface Instruction extends Encoding {
  readonly name: string;
  /** Assembly operands such as `rd, imm(rs1)`; `fd`, `fs1` … are floating-point registers, `csr` and `zimm` numbers. */
  readonly operands: string;
  readonly semantics: Semantics;
}

/** A 16-bit encoding that stands for a 32-bit instruction. */
export interface CompressedInstruction extends Encoding {
  readonly name: string;
  readonly operands: string;
  readonly expansion: string;
  readonly expand: (f: Fields<number>) => Partial<Fields<number>>;
  /** False for operands that the encoding reserves. */
  readonly accepts: (f: Fields<number>) => boolean;
}

/** Declares an instruction, for example `instruction("add rd, rs1, rs2", "0000000 rs2 rs1 000 rd 0110011", …)`. */
export function instruction(assembly: string, encoding: string, semantics: Semantics): Instruction {
  return { ...splitAssembly(assembly), ...parseEncoding(encoding), semantics };
}

/** Declares a compressed instruction by the instruction and the operands that it expands to. */
export function compressed(
  assembly: string,
  encoding: string,
  expansion: string,
  expand: CompressedInstruction["expand"],
  accepts: CompressedInstruction["accepts"] = () => true,
): CompressedInstruction {
  return { ...splitAssembly(assembly), ...parseEncoding(encoding), expansion, expand, accepts };
}

function splitAssembly(assembly: string): { name: string; operands: string } {
  const space = assembly.indexOf(" ");
  return space < 0
    ? { name: assembly, operands: "" }
    : { name: assembly.slice(0, space), operands: assembly.slice(space + 1) };
}

const defaultWidth: Record<string, number> = { rd: 5, rs1: 5, rs2: 5, rs3: 5, rm: 3, aq: 1, rl: 1 };

/**
 * Parses an encoding from its highest bit down: literal bits, `-` for a bit that does not matter, register fields,
 * `rd'` for a three-bit register, `imm[11:5|0]` or `uimm[5:0]` for the bits of an immediate in instruction order.
 */
function parseEncoding(text: string): Encoding {
  const tokens = text.split(" ");
  const total = tokens.reduce((sum, token) => sum + tokenWidth(token), 0);
  if (total !== 16 && total !== 32) throw new Error(`encoding has ${total} bits, expected 16 or 32: ${text}`);
  const pieces: Piece[] = [];
  const primed: FieldName[] = [];
  let [mask, match, at, signedWidth] = [0, 0, total, 0];
  for (const token of tokens) {
    at -= tokenWidth(token);
    if (/^[01-]+$/.test(token)) {
      for (let i = 0; i < token.length; i++) {
        const bit = at + token.length - 1 - i;
        if (token[i] !== "-") mask |= 1 << bit;
        if (token[i] === "1") match |= 1 << bit;
      }
    } else if (token.includes("imm[")) {
      let end = at + tokenWidth(token);
      for (const [high, low] of immediateRanges(token)) {
        const width = high - low + 1;
        end -= width;
        pieces.push({ field: "imm", at: end, width, bit: low });
        if (token.startsWith("imm")) signedWidth = Math.max(signedWidth, high + 1);
      }
    } else {
      const field = token.replace("'", "") as FieldName;
      if (token.endsWith("'")) primed.push(field);
      pieces.push({ field, at, width: tokenWidth(token), bit: 0 });
    }
  }
  const length = total === 16 ? 2 : 4;
  const immediate = pieces.filter(({ field }) => field === "imm");
  const places = placesOf(pieces, primed);
  return { length, mask: mask >>> 0, match: match >>> 0, pieces, places, immediate, primed, signedWidth };
}

/** Where each field but the immediate lies: in one piece, or nowhere. */
function placesOf(pieces: readonly Piece[], primed: readonly FieldName[]): Encoding["places"] {
  const place = (name: FieldName): Place => {
    const piece = pieces.find(({ field }) => field === name);
    if (piece === undefined) return { at: 0, mask: 0, base: 0 };
    return { at: piece.at, mask: 2 ** piece.width - 1, base: primed.includes(name) ? 8 : 0 };
  };
  return {
    rd: place("rd"),
    rs1: place("rs1"),
    rs2: place("rs2"),
    rs3: place("rs3"),
    rm: place("rm"),
    aq: place("aq"),
    rl: place("rl"),
  };
}

function tokenWidth(token: string): number {
  if (/^[01-]+$/.test(token)) return token.length;
  if (token.includes("imm[")) return immediateRanges(token).reduce((sum, [high, low]) => sum + high - low + 1, 0);
  if (token.endsWith("'")) return 3;
  const width = defaultWidth[token];
  if (width === undefined) throw new Error(`unknown field ${token} in an encoding`);
  return width;
}

function immediateRanges(token: string): [number, number][] {
  const inside = token.slice(token.indexOf("[") + 1, token.indexOf("]"));
  return inside.split("|").map((part) => {
    const [high, low = high] = part.split(":").map(Number);
    return [high, low];
  });
}

/** The operand fields of an instruction word. */
export function extractFields({ places, immediate, signedWidth }: Encoding, word: number): Fields<number> {
  let imm = 0;
  for (const { at, width, bit } of immediate) imm |= ((word >>> at) & (2 ** width - 1)) << bit;
  const unused = 32 - signedWidth;
  const read = ({ at, mask, base }: Place): number => ((word >>> at) & mask) + base;
  return {
    rd: read(places.rd),
    rs1: read(places.rs1),
    rs2: read(places.rs2),
    rs3: read(places.rs3),
    rm: read(places.rm),
    imm: signedWidth > 0 ? (imm << unused) >> unused : imm,
    aq: read(places.aq),
    rl: read(places.rl),
  };
}

/** The instruction word for these operand fields; bits that a field cannot hold are dropped. */
export function insertFields(encoding: Encoding, fields: Partial<Fields<number>>): number {
  let word = encoding.match;
  for (const { field, at, width, bit } of encoding.pieces) {
    const value = (fields[field] ?? 0) - (encoding.primed.includes(field) ? 8 : 0);
    word |= ((value >> bit) & (2 ** width - 1)) << at;
  }
  return word >>> 0;
}
