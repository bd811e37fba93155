/** Kills a writing process again and again: every flush that it has reported must be there afterwards. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { BLOCK_BYTES, BLOCKS, contentOf, DISK_BYTES, steps } from "../testing/disk-writer-node.ts";
import { qemuCheck, withoutQemuImg } from "../testing/qemu-img-node.ts";
import { type Random, seededRandom } from "../testing/random.ts";
import { HostFile } from "./host-file-node.ts";
import { openDisk } from "./open-disk-node.ts";
import { createQcow2 } from "./qcow2/create.ts";

/** KILLS=200 is the long form. */
const KILLS = Number(process.env.KILLS ?? 4);
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const directory = mkdtempSync(join(tmpdir(), "bulkhead-kill-"));
after(() => rmSync(directory, { recursive: true }));
const writer = join(import.meta.dirname, "../testing/disk-writer-node.ts");

/** Lets a writer run from a step on and kills it. @returns the number of the last flush that it has reported. */
async function killWriter(random: Random, path: string, kind: string, seed: number, from: number): Promise<number> {
  const child = spawn(process.execPath, [writer, path, kind, String(seed), String(from)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let last = from - 1;
  let left = 1 + random.below(40);
  const exited = new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
  for await (const line of createInterface(child.stdout)) {
    last = Number(line);
    if (left-- === 0) child.kill("SIGKILL");
  }
  assert.equal(await exited, "SIGKILL");
  return last;
}

/** For each block, the number of the step that wrote it last. */
type Written = number[];

/** Checks a disk against what was known of it and the steps since, of which those up to `flushed` must be there. */
function check(path: string, known: Written, seed: number, from: number, flushed: number): Written {
  const possible = known.map((number) => new Set([number]));
  // Beyond the last reported flush the writer has not gone further than to the next one and what follows it.
  let flushesLeft = 2;
  for (const step of steps(seed, from)) {
    if (step.kind === "flush" && step.number > flushed && --flushesLeft === 0) break;
    if (step.kind !== "write") continue;
    for (let block = step.block; block < step.block + step.count; block++) {
      if (step.number <= flushed) possible[block].clear();
      possible[block].add(step.number);
    }
  }
  const disk = openDisk(path, { readOnly: true });
  const found = possible.map((numbers, block) => {
    const bytes = new Uint8Array(BLOCK_BYTES);
    disk.read(block * BLOCK_BYTES, bytes);
    const number = new DataView(bytes.buffer).getUint32(0);
    assert.ok(numbers.has(number), `block ${block} was written by step ${number}, not by one of ${[...numbers]}`);
    if (number > 0) assert.deepEqual(bytes, contentOf(number, block));
    return number;
  });
  disk.close();
  return found;
}

function create(kind: string): string {
  const path = join(directory, `${kind}.img`);
  if (kind === "raw") writeFileSync(path, new Uint8Array(DISK_BYTES));
  else {
    const backing = kind === "layered" ? ({ path: "qcow2.base", format: "qcow2" } as const) : undefined;
    if (backing !== undefined) createImage(join(directory, backing.path));
    createImage(path, backing);
  }
  return path;
}

function createImage(path: string, backing?: { readonly path: string; readonly format: "qcow2" }): void {
  const file = new HostFile(path, openSync(path, "wx+"), false);
  createQcow2(file, { size: DISK_BYTES, clusterBits: 12, backing });
  file.close();
}

for (const kind of ["raw", "qcow2", "layered"]) {
  test(`kill: ${KILLS} killed writers cost no flushed write, ${kind}`, async (t) => {
    const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
    const path = create(kind);
    let known: Written = Array.from({ length: BLOCKS }, () => 0);
    for (let life = 0; life < KILLS; life++) {
      const from = 1 + life * 1_000_000;
      const flushed = await killWriter(random, path, kind, seed + life, from);
      known = check(path, known, seed + life, from, flushed);
      if (kind !== "raw" && withoutQemuImg === false) assert.equal(qemuCheck(path).corruptions, 0);
    }
    openDisk(path).close();
    if (kind !== "raw" && withoutQemuImg === false) assert.deepEqual(qemuCheck(path), { corruptions: 0, leaks: 0 });
  });
}

test("kill: a killed writer to an overlay leaves the image as it was", async (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  const path = join(directory, "base.img");
  const before = random.bytes(4096);
  writeFileSync(path, new Uint8Array(DISK_BYTES));
  writeFileSync(path, before, { flag: "r+" });
  const content = readFileSync(path);
  await killWriter(random, path, "overlay", seed, 1);
  assert.deepEqual(readFileSync(path), content);
});
