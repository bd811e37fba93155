/** Runs one of the RISC-V project's `riscv-tests`: bare-metal programs that report through the word named `tohost`. */
import { loadElf } from "../../packages/machine/src/boot/elf.ts";
import { BareMachine, type Tier } from "./bare-machine.ts";
import { symbolAddress } from "./symbol.ts";

const RAM_BYTES = 32 << 20;
/** 100 million instructions; the longest test takes a few hundred thousand. */
const MAX_SLICES = 10_000;

/** A test passes, fails in the numbered case, or never reports. */
export type Verdict =
  | { readonly kind: "pass" }
  | { readonly kind: "fail"; readonly testCase: number }
  | { readonly kind: "silent"; readonly pc: bigint };

/**
 * Runs an ELF file from reset in M-mode until it writes `tohost`, at most for so many slices. `seed` is of what the tier
 * leaves to chance.
 * @throws Error if the file is no such test.
 */
export function runTest(file: Uint8Array, tier: Tier, { slices = MAX_SLICES, seed = 1 } = {}): Verdict {
  const tohost = symbolAddress(file, "tohost");
  if (tohost === undefined) throw new Error("the file has no symbol tohost: it is not one of the riscv-tests");
  const machine = new BareMachine(RAM_BYTES, tier, seed);
  machine.hart.pc = BigInt(loadElf(machine.memory, file, "test").entry);
  const report = machine.memory.offsetOf(tohost, 8);
  const code = machine.run(slices, () => machine.memory.view.getUint32(report, true) || undefined);
  if (code === undefined) return { kind: "silent", pc: machine.hart.pc };
  return code === 1 ? { kind: "pass" } : { kind: "fail", testCase: code >>> 1 };
}

/** A verdict in a word or two, for tables. */
export function describe(verdict: Verdict): string {
  if (verdict.kind === "pass") return "pass";
  return verdict.kind === "fail" ? `case ${verdict.testCase}` : `no report, at 0x${verdict.pc.toString(16)}`;
}
