/** GNU binutils as a witness for the decoder: assembles raw words and disassembles them again. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isCompressed } from "@bulkhead/isa";

const PREFIX = process.env.RISCV_BINUTILS ?? "riscv64-linux-gnu-";
const MAX_OUTPUT_BYTES = 1 << 28;

export const isInstalled = (): boolean => spawnSync(`${PREFIX}objdump`, ["--version"]).status === 0;

/** Those of some extensions that the assembler knows. */
export function knownExtensions(extensions: readonly string[]): string[] {
  return extensions.filter((extension) => {
    const { status } = spawnSync(`${PREFIX}as`, [`-march=rv64i_${extension}`, "-o", "/dev/null"], { input: "" });
    return status === 0;
  });
}

/** Text of each word at its address in a row of them; undefined for what is no instruction of these extensions. */
export function disassembleAll(words: readonly number[], extensions: readonly string[]): (string | undefined)[] {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-objdump-"));
  try {
    const [source, object] = [join(folder, "words.s"), join(folder, "words.o")];
    writeFileSync(source, `${words.map((word) => `.insn ${isCompressed(word) ? 2 : 4}, ${word}`).join("\n")}\n`);
    execFileSync(`${PREFIX}as`, [`-march=${["rv64imafdc", ...extensions].join("_")}`, source, "-o", object]);
    const text = execFileSync(`${PREFIX}objdump`, ["-d", "-M", "no-aliases", object], {
      encoding: "utf8",
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    return [...text.matchAll(/^ +([0-9a-f]+):\t[^\t]*\t([^\t\n]*)\t?([^\t\n]*)/gm)].map(([, at, name, operands]) =>
      /^\.|^unimp$|^c\.unimp$/.test(name!) ? undefined : plain(parseInt(at!, 16), name!, operands!),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Objdump's notation in that of `disassemble`: decimal immediates, targets as distances, no implied stack pointer. */
function plain(address: number, name: string, text: string): string {
  if (/^c\.s[lr][la]i64$/.test(name)) return `${name.slice(0, -2)} ${text}, 0`;
  const operands = text.replace(/ *[#<].*/, "").split(",");
  const last = operands.pop()!;
  const final = isTransfer(name) ? distance(last, address) : isUpper(name) ? String((Number(last) << 12) | 0) : last;
  const shown = [...operands, final].map((operand) => (operand.startsWith("0x") ? String(Number(operand)) : operand));
  if (/^c\.addi(4spn|16sp)$/.test(name)) shown.splice(shown.indexOf("sp"), 1);
  const joined = shown.join(", ");
  return `${name} ${/^c\..*sp$/.test(name) ? joined.replace("(sp)", "") : joined}`.trim();
}

const isTransfer = (name: string): boolean => /^(jal|b(eq|ne|lt|ge)u?|c\.(j|beqz|bnez))$/.test(name);
const isUpper = (name: string): boolean => /^(lui|auipc|c\.lui)$/.test(name);

const distance = (target: string, address: number): string =>
  String(BigInt.asIntN(64, BigInt(`0x${target}`)) - BigInt(address));
