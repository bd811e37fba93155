/** What a region does with floating point, which decides what it keeps in locals. Who calls it: the region emitter. */
import type { Decoded, RegisterFields } from "@bulkhead/isa";
import type { Block } from "./control-flow.ts";

export interface FloatUse {
  /** Whether the rounding mode and the flags matter. */
  readonly rounds: boolean;
  /** Bit n is set if fn mostly holds doubles: its local is an f64 then, otherwise an i64. */
  readonly doubles: number;
}

export function floatUse(blocks: readonly Block[]): FloatUse {
  let rounds = false;
  const balance = new Int32Array(32);
  for (const { steps } of blocks) {
    for (const { decoded, traits } of steps) {
      const { usesFloat, reads, writes } = traits;
      if (!usesFloat) continue;
      rounds ||= decoded.instruction.operands.includes("rm");
      count(balance, decoded, writes, isDouble(decoded, 1));
      count(balance, decoded, reads, isDouble(decoded, 2));
    }
  }
  return { rounds, doubles: balance.reduce((mask, doubles, r) => (doubles > 0 ? mask | (1 << r) : mask), 0) };
}

function count(balance: Int32Array, decoded: Decoded, { f }: RegisterFields, double: boolean): void {
  for (const field of f) balance[decoded[field]]! += double ? 1 : -1;
}

/** Whether the names of formats in a mnemonic, result first, say double: `fadd.d`, `fcvt.d.s`, `fsd`, `c.fldsp`. */
function isDouble({ instruction: { name } }: Decoded, position: 1 | 2): boolean {
  const parts = name.replace(/^c\./, "").split(".");
  return /^f[ls]d/.test(parts[0]!) || (parts[position] ?? parts[1]) === "d";
}
