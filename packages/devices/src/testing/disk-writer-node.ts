/**
 * A program that writes to a disk until it is killed, and says on its standard output which flushes have succeeded. What
 * it writes follows from a seed, so that whoever killed it knows what has to be there. Run by tests that lose a process.
 */
import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BlockBackend } from "../block/backend.ts";
import { openDisk } from "../block/open-disk-node.ts";
import { Overlay } from "../block/overlay.ts";
import { openTemporaryDisk } from "../block/temporary-file-node.ts";
import { type Random, seededRandom } from "./random.ts";

export const BLOCK_BYTES = 4096;
/** Blocks whose content is followed; as many again behind them are only there to be taken and given back. */
export const BLOCKS = 512;
export const DISK_BYTES = 2 * BLOCKS * BLOCK_BYTES;

/** One thing the writer does. Numbers count up, and every block that is written holds its number. */
export type Step = { readonly number: number } & (
  | { readonly kind: "write"; readonly block: number; readonly count: number }
  | { readonly kind: "churn"; readonly block: number; readonly count: number; readonly discard: boolean }
  | { readonly kind: "flush" }
);

/** The steps from a number on, without end. */
export function* steps(seed: number, from: number): Generator<Step> {
  const random: Random = seededRandom(() => {}, seed);
  for (let number = from; ; number++) {
    const kind = random.below(8);
    const block = random.below(BLOCKS - 32);
    const count = 1 + random.below(random.pick([1, 4, 32]));
    if (kind === 0) yield { number, kind: "flush" };
    else if (kind < 3) yield { number, kind: "churn", block: BLOCKS + block, count, discard: kind === 1 };
    else yield { number, kind: "write", block, count };
  }
}

/** What a block holds that was written by a step. */
export function contentOf(number: number, block: number): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES).fill(number & 0xff);
  new DataView(bytes.buffer).setUint32(0, number);
  new DataView(bytes.buffer).setUint32(4, block);
  return bytes;
}

function perform(disk: BlockBackend, step: Step): void {
  if (step.kind === "flush") {
    disk.flush();
    writeSync(1, `${step.number}\n`);
    return;
  }
  const bytes = new Uint8Array(step.count * BLOCK_BYTES);
  for (let i = 0; i < step.count; i++) bytes.set(contentOf(step.number, step.block + i), i * BLOCK_BYTES);
  const at = step.block * BLOCK_BYTES;
  if (step.kind === "write" || !step.discard) disk.write(at, bytes);
  else disk.discard?.(at, bytes.length);
}

function run([path, kind, seed, from]: readonly string[]): never {
  const base = openDisk(path, { readOnly: kind === "overlay" });
  const disk = kind === "overlay" ? new Overlay(base, openTemporaryDisk(base.size)) : base;
  for (const step of steps(Number(seed), Number(from))) perform(disk, step);
  throw new Error("the steps have no end");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run(process.argv.slice(2));
