/** Runs bare-metal guests on the tiers of this machine, and on QEMU's as an outside witness. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cause } from "../../packages/machine/src/hart/cause.ts";
import { HartState, hartBase } from "../../packages/machine/src/hart/layout.ts";
import { BareMachine, type Tier } from "../../tools/conformance/bare-machine.ts";
import { BASE, type Guest, LINE_STATUS, RAM_BYTES } from "./guest.ts";

const MAX_SLICES = 200_000;
const TIMEOUT_MS = 60_000;

/** Runs a guest to its end; gives its results. @param seed of what the tier leaves to chance. */
export function run({ bytes, result, resultBytes }: Guest, tier: Tier, seed = 1): Uint8Array {
  const machine = new BareMachine(RAM_BYTES, tier, seed);
  machine.memory.writable(BASE, bytes.length)!.set(bytes);
  machine.hart.pc = BigInt(BASE);
  const { view } = machine.memory;
  // There are no devices: the report fails at its first access.
  const isReport = () => view.getBigUint64(hartBase(0) + HartState.exceptionValue, true) === BigInt(LINE_STATUS);
  const ended = machine.run(MAX_SLICES, (exception) => (exception === Cause.loadAccess && isReport()) || undefined);
  if (ended === undefined) throw new Error(`${tier}: the guest does not end; pc 0x${machine.hart.pc.toString(16)}`);
  return machine.memory.readable(result, resultBytes)!.slice();
}

const QEMU = process.env.QEMU_SYSTEM_RISCV64 ?? "qemu-system-riscv64";

/** Why QEMU's machine cannot be a witness, or false. */
export const withoutQemu: false | string =
  spawnSync(QEMU, ["--version"]).status !== 0 &&
  "no qemu-system-riscv64 here; Debian has it in the package qemu-system-misc";

/** Runs a guest to its end on QEMU; gives its results. @param cpu QEMU's model. */
export async function runOnQemu({ bytes, resultBytes }: Guest, cpu = "rv64"): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-bare-metal-"));
  try {
    const image = join(folder, "image");
    writeFileSync(image, bytes);
    const args = ["-M", "virt", "-m", "32", "-cpu", cpu, "-bios", image, "-display", "none", "-monitor", "none"];
    return await new Promise<Buffer>((resolve, reject) => {
      const options = { encoding: "buffer", timeout: TIMEOUT_MS, maxBuffer: 2 * resultBytes } as const;
      execFile(QEMU, [...args, "-serial", "stdio"], options, (error, stdout) => {
        if (error === null && stdout.length === resultBytes) resolve(stdout);
        else reject(new Error(`QEMU did not run the guest to its end: ${stdout.length} bytes`, { cause: error }));
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
