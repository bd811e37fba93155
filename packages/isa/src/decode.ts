/** Instruction words to instructions and operands. Derived from the table; who calls it: interpreter, JIT, tools. */
import {
  type CompressedInstruction,
  type Encoding,
  extractFields,
  type Fields,
  type Instruction,
  insertFields,
} from "./instruction.ts";
import { compressedInstructions, instructions } from "./table/index.ts";

export interface Decoded extends Fields<number> {
  readonly instruction: Instruction;
  /** Position of the instruction in the table. */
  readonly index: number;
  /** Bytes that it takes in memory: a compressed instruction decodes to what it stands for, with length 2. */
  readonly length: 2 | 4;
  /** The compressed form that it was written in. */
  readonly compressed: CompressedInstruction | undefined;
}

const indexByName = new Map(instructions.map(({ name }, index) => [name, index]));

export function instructionNamed(name: string): Instruction {
  const index = indexByName.get(name);
  if (index === undefined) throw new Error(`no instruction is called ${name}`);
  return instructions[index]!;
}

/** An encoding, and the position in the table of what it stands for. */
interface Row<E extends Encoding> {
  readonly encoding: E;
  readonly index: number;
}

/** Buckets by the bits that nearly every encoding fixes: opcode and funct3, or quadrant and funct3. */
const WORD_KEY = 0x707f;
const HALF_KEY = 0xe003;

function buckets<E extends Encoding>(
  list: readonly E[],
  instruction: (encoding: E) => string,
  keyMask: number,
): (readonly Row<E>[] | undefined)[] {
  const found: Row<E>[][] = [];
  for (const encoding of list) {
    const row = { encoding, index: indexByName.get(instruction(encoding))! };
    for (const key of keysOf(encoding, keyMask)) found[key] = [...(found[key] ?? []), row];
  }
  for (const bucket of found) bucket?.sort((a, b) => bits(b.encoding.mask) - bits(a.encoding.mask));
  return found;
}

/** Every key that agrees with the encoding in the bits it fixes. */
function keysOf(encoding: Encoding, keyMask: number): number[] {
  let keys = [encoding.match & keyMask];
  for (let bit = 0; bit < 32; bit++) {
    const flag = 2 ** bit;
    if ((keyMask & flag) !== 0 && (encoding.mask & flag) === 0) keys = keys.flatMap((key) => [key, key | flag]);
  }
  return keys;
}

function bits(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}

const words = buckets(instructions, ({ name }) => name, WORD_KEY);
const halves = buckets(compressedInstructions, ({ expansion }) => expansion, HALF_KEY);

export const isCompressed = (word: number): boolean => (word & 3) !== 3;

/** What words decode to, as far as it is known, by a hash: programs use few different words. */
const KNOWN = 0x20000;
/** 2^32 divided by the golden ratio. */
const HASH = 0x9e37_79b1;
const knownWords = new Int32Array(KNOWN);
const known: (Decoded | undefined)[] = new Array(KNOWN);

/** Decodes a 32-bit word, of which a compressed instruction uses the low half; undefined if it is illegal. */
export function decode(word: number): Decoded | undefined {
  const key = isCompressed(word) ? word & 0xffff : word | 0;
  const slot = Math.imul(key, HASH) >>> 15;
  // An all-zero word is illegal, as an empty slot is.
  if (knownWords[slot] === key) return known[slot];
  const decoded = isCompressed(key) ? decodeHalf(key) : decodeWord(key);
  knownWords[slot] = key;
  known[slot] = decoded;
  return decoded;
}

function decodeWord(word: number): Decoded | undefined {
  for (const { encoding, index } of words[word & WORD_KEY] ?? []) {
    if ((word & encoding.mask) >>> 0 !== encoding.match) continue;
    const { rd, rs1, rs2, rs3, rm, imm, aq, rl } = extractFields(encoding, word);
    return { rd, rs1, rs2, rs3, rm, imm, aq, rl, instruction: encoding, index, length: 4, compressed: undefined };
  }
  return undefined;
}

function decodeHalf(half: number): Decoded | undefined {
  for (const { encoding, index } of halves[half & HALF_KEY] ?? []) {
    if ((half & encoding.mask) >>> 0 !== encoding.match) continue;
    const fields = extractFields(encoding, half);
    if (!encoding.accepts(fields)) continue;
    const { rd = 0, rs1 = 0, rs2 = 0, rs3 = 0, rm = 0, imm = 0, aq = 0, rl = 0 } = encoding.expand(fields);
    const instruction = instructions[index]!;
    return { rd, rs1, rs2, rs3, rm, imm, aq, rl, instruction, index, length: 2, compressed: encoding };
  }
  return undefined;
}

/** The word of an instruction with these operands. */
export function encode(name: string, fields: Partial<Fields<number>>): number {
  return insertFields(instructionNamed(name), fields);
}
