/**
 * Assembly text as instruction words, in the notation that `disassemble` prints, with labels and the usual
 * pseudo-instructions. Derived from the table; who calls it: tests and tools that have guest programs of their own.
 */
import { instructionNamed } from "./decode.ts";
import { floatRegisterNames, registerNames, roundingModes } from "./disassemble.ts";
import {
  type CompressedInstruction,
  extractFields,
  type FieldName,
  type Fields,
  type Instruction,
  insertFields,
} from "./instruction.ts";
import { compressedInstructions } from "./table/index.ts";

export interface Assembled {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Addresses of labels. */
  readonly labels: ReadonlyMap<string, number>;
}

const aliases: Readonly<Record<string, (...operands: string[]) => string[]>> = {
  nop: () => ["addi zero, zero, 0"],
  ret: () => ["jalr zero, 0(ra)"],
  j: (target) => [`jal zero, ${target}`],
  call: (target) => [`jal ra, ${target}`],
  mv: (rd, rs) => [`addi ${rd}, ${rs}, 0`],
  not: (rd, rs) => [`xori ${rd}, ${rs}, -1`],
  seqz: (rd, rs) => [`sltiu ${rd}, ${rs}, 1`],
  beqz: (rs, target) => [`beq ${rs}, zero, ${target}`],
  bnez: (rs, target) => [`bne ${rs}, zero, ${target}`],
  bgtz: (rs, target) => [`blt zero, ${rs}, ${target}`],
  csrr: (rd, csr) => [`csrrs ${rd}, ${csr}, zero`],
  csrw: (csr, rs) => [`csrrw zero, ${csr}, ${rs}`],
  csrs: (csr, rs) => [`csrrs zero, ${csr}, ${rs}`],
  csrc: (csr, rs) => [`csrrc zero, ${csr}, ${rs}`],
  /** The address of a label, or of any symbol within 2 GiB. */
  la: (rd, target) => [`auipc ${rd}, %high ${target}`, `addi ${rd}, ${rd}, %low ${target}`],
  /** A constant of 32 bits, sign-extended. */
  li: (rd, value) => [`lui ${rd}, %upper ${value}`, `addiw ${rd}, ${rd}, %lower ${value}`],
};

/** What has an address: an instruction, or data of some bytes. */
interface Line {
  readonly at: number;
  readonly text: string;
}

/**
 * Assembles lines at an address. A line is `label:`, an instruction, or data: `.half`, `.word`, `.dword`, `.align bytes`, `.space bytes`. `#` begins a comment.
 * @param symbols names for numbers in immediates and of CSRs, beside the labels.
 * @throws Error for what is no instruction, with the line.
 */
export function assemble(text: string, base = 0, symbols: Readonly<Record<string, number>> = {}): Assembled {
  const labels = new Map<string, number>();
  const lines: Line[] = [];
  let at = base;
  for (const source of text.split("\n").flatMap(statements)) {
    if (source.endsWith(":")) labels.set(source.slice(0, -1), at);
    else {
      lines.push({ at, text: source });
      at += sizeOf(source, at);
    }
  }
  const bytes = new Uint8Array(at - base);
  const known = new Map([...Object.entries(symbols), ...labels]);
  for (const line of lines) bytes.set(encoded(line, known), line.at - base);
  return { bytes, labels };
}

/** The labels and real instructions of a source line. */
function statements(line: string): string[] {
  const [, label, rest] = /^\s*(?:([\w.$]+:))?\s*([^#]*?)\s*(?:#.*)?$/.exec(line)!;
  return [...(label === undefined ? [] : [label]), ...(rest === "" ? [] : expanded(rest!))];
}

function expanded(text: string): string[] {
  const [name, operands] = split(text);
  return Object.hasOwn(aliases, name) ? aliases[name]!(...operands.split(/,\s*/)) : [text];
}

function split(text: string): [name: string, operands: string] {
  const space = text.search(/\s/);
  return space < 0 ? [text, ""] : [text.slice(0, space), text.slice(space).trim()];
}

const dataBytes: Readonly<Record<string, number>> = { ".half": 2, ".word": 4, ".dword": 8 };

function sizeOf(text: string, at: number): number {
  const [name, operands] = split(text);
  if (name === ".align") return -at & (Number(operands) - 1);
  if (name === ".space") return Number(operands);
  return dataBytes[name] ?? formOf(name).form.length;
}

function encoded({ at, text }: Line, symbols: ReadonlyMap<string, number>): Uint8Array {
  const [name, operands] = split(text);
  const out = new DataView(new ArrayBuffer(sizeOf(text, at)));
  const put = (value: bigint): void => {
    for (let i = 0; i < out.byteLength; i++) out.setUint8(i, Number(BigInt.asUintN(8, value >> BigInt(8 * i))));
  };
  try {
    if (name in dataBytes) put(BigInt(symbols.get(operands) ?? operands));
    else if (!name.startsWith(".")) put(BigInt(wordOf(name, operands, at, symbols)));
  } catch (cause) {
    throw new Error(`cannot assemble: ${text}`, { cause });
  }
  return new Uint8Array(out.buffer);
}

/** The form of a name, with the bits that its suffix sets. */
function formOf(name: string): { form: Instruction | CompressedInstruction; aq: number; rl: number } {
  const [, plain, order = ""] = /^(.*?)(?:\.(aqrl|aq|rl))?$/.exec(name)!;
  const form = compressedInstructions.find((compressed) => compressed.name === plain) ?? instructionNamed(plain!);
  return { form, aq: Number(order.includes("aq")), rl: Number(order.includes("rl")) };
}

function wordOf(name: string, operands: string, at: number, symbols: ReadonlyMap<string, number>): number {
  const { form, aq, rl } = formOf(name);
  const names: string[] = [];
  const pattern = form.operands
    .replace(/[()]/g, "\\$&")
    .replace(/\b(?:fd|fs[123]|rd|rs[123]|rm|imm|csr|zimm)\b/g, (operand) => {
      names.push(operand);
      return "(.+?)";
    });
  const values = new RegExp(`^${pattern}$`).exec(operands.replace(/,\s*/g, ", "))?.slice(1);
  if (values === undefined) throw new Error(`operands are not ${form.operands}`);
  const fields: Partial<Record<FieldName, number>> = { aq, rl };
  names.forEach((operand, index) => {
    fields[fieldOf(operand)] = numberOf(operand, values[index]!, { at, symbols, isRelative: isTransfer(form) });
  });
  const word = insertFields(form, fields);
  const held: Fields<number> = extractFields(form, word);
  if (names.includes("imm") && held.imm !== fields.imm) throw new Error(`the immediate ${fields.imm} does not fit`);
  return word;
}

const isTransfer = ({ name }: { name: string }): boolean => /^(jal|b(eq|ne|lt|ge)u?|c\.(j|beqz|bnez))$/.test(name);

function fieldOf(operand: string): FieldName {
  if (operand === "csr") return "imm";
  if (operand === "zimm") return "rs1";
  return (operand.startsWith("f") ? `r${operand.slice(1)}` : operand) as FieldName;
}

interface Place {
  readonly at: number;
  readonly symbols: ReadonlyMap<string, number>;
  /** Labels stand for their distance. */
  readonly isRelative: boolean;
}

function numberOf(operand: string, text: string, { at, symbols, isRelative }: Place): number {
  if (/^f[ds]/.test(operand)) return indexIn(floatRegisterNames, text);
  if (/^r[ds]/.test(operand)) return indexIn(registerNames, text);
  if (operand === "rm") return indexIn(roundingModes, text);
  const [, part, name] = /^(?:%(high|low|upper|lower) )?(.*)$/.exec(text)!;
  const symbol = symbols.get(name!);
  const value = symbol ?? Number(name);
  if (!Number.isInteger(value)) throw new Error(`${name} is neither a number nor a known name`);
  if (part === undefined) return isRelative && symbol !== undefined ? value - at : value;
  // The second of a pair stands 4 bytes behind the first, from which the distance counts.
  const whole = part === "high" ? value - at : part === "low" ? value - at + 4 : value;
  const low = (whole << 20) >> 20;
  return part === "low" || part === "lower" ? low : (whole - low) | 0;
}

function indexIn(names: readonly string[], text: string): number {
  const index = names.indexOf(text);
  if (index < 0) throw new Error(`${text} is not one of ${names.join(" ")}`);
  return index;
}
