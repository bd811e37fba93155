/** The decoder and the disassembler against GNU binutils: which words are instructions, and what they say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compressedInstructions, decode, disassemble, extensions, instructions, isCompressed } from "@bulkhead/isa";
import { disassembleAll, isInstalled, knownExtensions } from "./objdump.ts";
import { Random } from "./random.ts";

const seed = BigInt(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const PER_ENCODING = 20;
const WORDS = 5000;

const skip = !isInstalled() && "no riscv64-linux-gnu-objdump here; Debian has it in binutils-riscv64-linux-gnu";

/** Every 16-bit word, random words, instructions with random operands, and the same with one fixed bit turned over. */
function sampleWords(random: Random): number[] {
  const words = Array.from({ length: 0x1_0000 }, (_, half) => half).filter(isCompressed);
  for (let i = 0; i < WORDS; i++) words.push(random.word());
  for (const { mask, match } of [...instructions, ...compressedInstructions]) {
    for (let i = 0; i < PER_ENCODING; i++) {
      const operands = random.word() & ~mask;
      words.push(match | operands, (match ^ (1 << random.below(32))) | operands);
    }
  }
  return words
    .map((word) => (isCompressed(word) ? word & 0xffff : word >>> 0))
    .filter((word) => (word & 0x1f) !== 0x1f);
}

/** Names of what the witness does not know. */
function unknownNames(known: readonly string[]): Set<string> {
  const unknown = Object.entries(extensions).filter(([name]) => name.startsWith("z") && !known.includes(name));
  return new Set(unknown.flatMap(([, list]) => list.map(({ name }) => name)));
}

/**
 * The parts that both write in their own ways: CSRs by number or name, constants of `fli`, operands of fences, and rounding modes
 * that go without saying.
 */
function comparable(text: string | undefined): string | undefined {
  return text
    ?.replace(/^(csr\w+ \w+), \w+/, "$1")
    .replace(/^(fli\.\w \w+), .*/, "$1")
    .replace(/^fence .*/, "fence")
    .replace(/, dyn$/, "")
    .replace(/^(fcvt\.(d\.w|d\.wu|d\.s|s\.h|d\.h) .*), rne$/, "$1");
}

/** Where the specification lets a decoder be as strict as binutils or as lenient as ours: reserved operands. */
function isReserved(word: number): boolean {
  const name = decode(word)?.instruction.name ?? "";
  return /^(fence|fence\.i|amocas\.q|fcvt\.(d\.w|d\.wu|d\.s|s\.h|d\.h))$/.test(name);
}

/** What the witness takes for an instruction: of extensions that this machine does not have, and a reserved encoding. */
const foreign = /^(hret|uret|dret|mnret|sfence\.vm( \w+)?|c\.addi16sp 0)$/;

test(`disassemble: agrees with binutils on random words (SEED=${seed})`, { skip }, () => {
  const known = knownExtensions([...Object.keys(extensions).filter((name) => name.startsWith("z")), "svinval"]);
  const unknown = unknownNames(known);
  const words = sampleWords(new Random(seed)).filter((word) => !unknown.has(decode(word)?.instruction.name ?? ""));
  const theirs = disassembleAll(words, known);
  assert.equal(theirs.length, words.length);
  words.forEach((word, index) => {
    const ours = decode(word) === undefined ? undefined : disassemble(word);
    const expected = comparable(theirs[index]);
    if (foreign.test(expected ?? "") || (expected === undefined && isReserved(word))) return;
    assert.equal(comparable(ours), expected, `word 0x${word.toString(16)}`);
  });
});
