/** Runs bare-metal guests on the tiers of this machine, and on QEMU's as an outside witness. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BareMachine, type Tier } from "../../tools/conformance/bare-machine.ts";
import { BASE, type Guest, RAM_BYTES, resultOf } from "./guest.ts";

const MAX_SLICES = 200_000;
const TIMEOUT_MS = 60_000;

/** Runs a guest to its end. @param seed of what the tier leaves to chance. */
export function run({ bytes, finish, labels }: Guest, tier: Tier, seed = 1): bigint[] {
  const machine = new BareMachine(RAM_BYTES, tier, seed);
  machine.memory.writable(BASE, bytes.length)!.set(bytes);
  machine.hart.pc = BigInt(BASE);
  // The report fails at its first access: there are no devices.
  const hasEnded = (exception: number | undefined) =>
    (exception !== undefined && machine.hart.pc >= finish) || undefined;
  if (machine.run(MAX_SLICES, hasEnded) === undefined)
    throw new Error(`the guest does not end on ${tier} with seed ${seed}: pc 0x${machine.hart.pc.toString(16)}`);
  return resultOf(machine.memory.readable(labels.get("result")!, 4096)!);
}

const QEMU = process.env.QEMU_SYSTEM_RISCV64 ?? "qemu-system-riscv64";

/** Why QEMU's machine cannot be a witness, or false. */
export const withoutQemu: false | string =
  spawnSync(QEMU, ["--version"]).status !== 0 &&
  "no qemu-system-riscv64 here; Debian has it in the package qemu-system-misc";

/** Runs a guest to its end on QEMU. */
export async function runOnQemu({ bytes }: Guest): Promise<bigint[]> {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-bare-metal-"));
  try {
    const image = join(folder, "image");
    writeFileSync(image, bytes);
    const args = ["-M", "virt", "-m", "32", "-cpu", "rv64", "-bios", image, "-display", "none", "-monitor", "none"];
    const output = await new Promise<Buffer>((resolve, reject) => {
      const options = { encoding: "buffer", timeout: TIMEOUT_MS } as const;
      execFile(QEMU, [...args, "-serial", "stdio"], options, (error, stdout) => {
        if (error === null && stdout.length === 4096) resolve(stdout);
        else reject(new Error(`QEMU did not run the guest to its end: ${stdout.length} bytes`, { cause: error }));
      });
    });
    return resultOf(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
