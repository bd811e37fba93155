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
  readonly compressed?: CompressedInstruction;
}

const indexByName = new Map(instructions.map(({ name }, index) => [name, index]));

export function instructionNamed(name: string): Instruction {
  const index = indexByName.get(name);
  if (index === undefined) throw new Error(`no instruction is called ${name}`);
  return instructions[index]!;
}

/** Buckets by the bits that nearly every encoding fixes: opcode and funct3, or quadrant and funct3. */
const WORD_KEY = 0x707f;
const HALF_KEY = 0xe003;

function buckets<E extends Encoding>(list: readonly E[], keyMask: number): Map<number, E[]> {
  const found = new Map<number, E[]>();
  for (const encoding of list) {
    for (const key of keysOf(encoding, keyMask)) found.set(key, [...(found.get(key) ?? []), encoding]);
  }
  for (const bucket of found.values()) bucket.sort((a, b) => bits(b.mask) - bits(a.mask));
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

const words = buckets(instructions, WORD_KEY);
const halves = buckets(compressedInstructions, HALF_KEY);

export const isCompressed = (word: number): boolean => (word & 3) !== 3;

/** What words decode to, as far as it is known; programs use few different words. */
const known = new Map<number, Decoded | undefined>();
const MAX_KNOWN = 0x10000;

/** Decodes a 32-bit word, of which a compressed instruction uses the low half; undefined if it is illegal. */
export function decode(word: number): Decoded | undefined {
  const key = isCompressed(word) ? word & 0xffff : word | 0;
  const found = known.get(key);
  if (found !== undefined || known.has(key)) return found;
  const decoded = isCompressed(key) ? decodeHalf(key) : decodeWord(key);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, decoded);
  return decoded;
}

function decodeWord(word: number): Decoded | undefined {
  const found = words.get(word & WORD_KEY)?.find(({ mask, match }) => (word & mask) >>> 0 === match);
  if (found === undefined) return undefined;
  return { ...extractFields(found, word), instruction: found, index: indexByName.get(found.name)!, length: 4 };
}

function decodeHalf(half: number): Decoded | undefined {
  for (const compressed of halves.get(half & HALF_KEY) ?? []) {
    if ((half & compressed.mask) >>> 0 !== compressed.match) continue;
    const fields = extractFields(compressed, half);
    if (!compressed.accepts(fields)) continue;
    const instruction = instructionNamed(compressed.expansion);
    const expanded = { rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, imm: 0, aq: 0, rl: 0, ...compressed.expand(fields) };
    return { ...expanded, instruction, index: indexByName.get(instruction.name)!, length: 2, compressed };
  }
  return undefined;
}

/** The word of an instruction with these operands. */
export function encode(name: string, fields: Partial<Fields<number>>): number {
  return insertFields(instructionNamed(name), fields);
}
