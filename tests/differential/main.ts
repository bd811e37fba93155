/**
 * Runs random programs on QEMU and on the machine for as long as it is told, and stops at the first disagreement.
 * Called as `npm run differential -- [--minutes N] [--seed N] [--qemu COMMAND] [--executor NAME] [--faults]`.
 */
import { parseArgs } from "node:util";
import {
  BATCH as FAULTING_BATCH,
  onQemu,
  onTier,
  report as reportFaults,
  runBatch as runFaultingBatch,
} from "../bare-metal/faults/campaign.ts";
import { withoutQemu } from "../bare-metal/run.ts";
import { BATCH, runBatch } from "./campaign.ts";
import type { Executor } from "./executor.ts";
import { makeExecutors } from "./executors.ts";
import { makePool } from "./pool.ts";
import { Qemu } from "./qemu.ts";
import { report } from "./report.ts";

const usage = `usage: npm run differential -- [--minutes N] [--seed N] [--qemu COMMAND] [--executor NAME] [--faults]
  --minutes N         how long to run; 1 by default
  --seed N            the first program's seed, and that of the tiers' dice; random by default. Later programs have
                      the seeds that follow
  --qemu COMMAND      the user-mode QEMU for riscv64; qemu-riscv64 by default
  --executor NAME     ${makeExecutors(0)
    .map(({ name }) => name)
    .join(", ")}; may be repeated; all of them by default
  --faults            programs that fault below a kernel, on every tier and on qemu-system-riscv64`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "1" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
      qemu: { type: "string" },
      executor: { type: "string", multiple: true },
      faults: { type: "boolean", default: false },
    },
  });
  const chosen = makeExecutors(Number(values.seed)).filter(({ name }) => values.executor?.includes(name) ?? true);
  if (chosen.length === 0 || !/^\d+$/.test(values.seed) || !(Number(values.minutes) > 0)) {
    console.error(usage);
    return 2;
  }
  const witness = Qemu.find(values.qemu);
  if (witness === undefined) {
    console.error("there is no user-mode QEMU for riscv64 here; Debian has it in the package qemu-user");
    return 3;
  }
  try {
    if (values.faults) return await faultCampaign(witness, BigInt(values.seed), Number(values.minutes) * 60_000);
    return await campaign(witness, chosen, BigInt(values.seed), Number(values.minutes) * 60_000);
  } finally {
    witness.close();
  }
}

async function campaign(
  witness: Qemu,
  chosen: readonly Executor[],
  firstSeed: bigint,
  durationMs: number,
): Promise<number> {
  const extensions = await witness.extensions();
  const pool = makePool(extensions, witness.distrusted);
  console.log(`${witness.version} as witness for ${extensions.join(" ")}`);
  const endMs = performance.now() + durationMs;
  for (let seed = firstSeed; performance.now() < endMs; seed += BigInt(BATCH)) {
    const disagreement = await runBatch(pool, witness, chosen, seed);
    if (disagreement !== undefined) {
      console.error(report(disagreement));
      return 1;
    }
    console.log(`seeds ${seed} to ${seed + BigInt(BATCH - 1)}: all agree`);
  }
  return 0;
}

/** Everything against the interpreter, which QEMU is the witness of. */
async function faultCampaign(witness: Qemu, firstSeed: bigint, durationMs: number): Promise<number> {
  const pool = makePool(await witness.extensions(), witness.distrusted);
  const dice = Number(BigInt.asUintN(32, firstSeed));
  const interpreter = onTier("interpreter");
  const qemu = withoutQemu === false ? [onQemu(witness.cpu)] : [];
  const ways = [...qemu, ...(["jit", "mixed", "random"] as const).map((tier) => onTier(tier, dice))];
  const endMs = performance.now() + durationMs;
  for (let seed = firstSeed; performance.now() < endMs; seed += BigInt(FAULTING_BATCH)) {
    for (const way of ways) {
      const disagreement = await runFaultingBatch(pool, interpreter, way, seed);
      if (disagreement === undefined) continue;
      console.error(reportFaults(disagreement, way, interpreter));
      return 1;
    }
    console.log(
      `seeds ${seed} to ${seed + BigInt(FAULTING_BATCH - 1)}: ${ways.map(({ name }) => name).join(", ")} agree`,
    );
  }
  return 0;
}

process.exitCode = await main();
