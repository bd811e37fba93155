import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { HostError } from "../host-error.ts";
import { closeSnapshot, openSnapshot, PageReader } from "../snapshot/reader-node.ts";
import { indexOf } from "../snapshot/restored-node.ts";
import { type PartitionState, RAM_SPACE } from "../snapshot/saved-machine.ts";
import { countingImage, GOOD, tornBy } from "../testing/counting-guest.ts";
import type { PartitionDescription } from "./description.ts";
import { Partition } from "./partition-node.ts";

/** SNAPSHOT_CYCLES=1000 and PAUSE_CYCLES=10000 are the long forms. */
const CYCLES = Number(process.env.SNAPSHOT_CYCLES ?? 5);
const PAUSES = Number(process.env.PAUSE_CYCLES ?? 300);

let folder: string;
let description: PartitionDescription;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-snapshots-"));
  const kernel = join(folder, "kernel");
  await writeFile(kernel, countingImage());
  description = { memoryMiB: 64, cpus: 1, boot: { kernel }, disks: [], ports: ["p"], snapshots: true };
});
after(() => rm(folder, { recursive: true }));

const started: Partition[] = [];
/** A partition that does not outlive its test. */
async function start(changed: PartitionDescription): Promise<Partition> {
  const partition = await Partition.start(changed);
  started.push(partition);
  return partition;
}
afterEach(() => Promise.all(started.splice(0).map((partition) => partition.kill())));

/** Has the guest check its own work. */
async function assertGood(partition: Partition): Promise<void> {
  await partition.console.write(Uint8Array.of(1));
  assert.equal(Buffer.from((await partition.console.read()) ?? []).toString(), GOOD);
}

/** Registers and pages in the file belong together. */
function assertWhole(path: string): void {
  const snapshot = openSnapshot(path);
  const reader = new PageReader(snapshot.layers);
  const index = indexOf(snapshot, RAM_SPACE) ?? assert.fail();
  const torn = tornBy((snapshot.meta.state as PartitionState).machine.harts[0].x, (page) => {
    const content = new Uint8Array(4096);
    reader.load(index[page], content);
    return content;
  });
  closeSnapshot(snapshot);
  assert.equal(torn, undefined);
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error instanceof HostError ? `${error.code}: ${error.message}` : String(error)),
  );

test(`Partition.pause: ${PAUSES} times, and the guest's work is right`, async () => {
  const partition = await start(description);
  for (let n = 0; n < PAUSES; n++) {
    await partition.pause();
    await partition.resume();
  }
  await assertGood(partition);
  await partition.kill();
});

test("Partition.pause: nothing is answered until the guest goes on, and a paused guest can be saved and stopped", async () => {
  const partition = await start(description);
  await partition.pause();
  await partition.console.write(Uint8Array.of(1));
  const answered = partition.console.read().then(() => "answered");
  const saved = partition.snapshot(join(folder, "paused")).then(() => "saved");
  assert.equal(await Promise.race([answered, saved]), "saved");
  await partition.resume();
  assert.equal(await answered, "answered");
  await partition.pause();
  await partition.kill();
  assert.equal((await partition.stopped).reason, "killed");
  assertWhole(join(folder, "paused"));
});

test("Partition.snapshot: is of one instant, however busy the guest, and the next ones build on it", async () => {
  const partition = await start(description);
  const sizes: number[] = [];
  for (let n = 0; n < 4; n++) {
    const path = join(folder, `busy-${n}`);
    sizes.push((await partition.snapshot(path)).bytes);
    await assertGood(partition);
    assertWhole(path);
  }
  await partition.kill();
  const last = await start({ ...description, restore: join(folder, "busy-3") });
  await assertGood(last);
  await last.kill();
});

test(`Partition.start: ${CYCLES} times one after the other from where the last one was saved`, async () => {
  let partition = await start(description);
  for (let n = 0; n < CYCLES; n++) {
    // The same two names again and again: each replaces one that the machine itself began with, or its ancestor.
    const path = join(folder, `cycle-${n % 2}`);
    await partition.snapshot(path);
    await assertGood(partition);
    await partition.kill();
    assertWhole(path);
    partition = await start({ ...description, restore: path });
    await assertGood(partition);
  }
  await partition.kill();
});

test("Partition.start: clones of one snapshot go their own ways", async () => {
  const path = join(folder, "parent");
  const parent = await start(description);
  await parent.snapshot(path);
  const clones = await Promise.all([1, 2, 3].map(() => start({ ...description, restore: path })));
  for (const each of [parent, ...clones]) await assertGood(each);
  await Promise.all([parent, ...clones].map((each) => each.kill()));
  assertWhole(path);
});

test("Partition.start: a lost, cut or foreign file of warm pages does no harm", async () => {
  const path = join(folder, "warm");
  const first = await start(description);
  await first.snapshot(path);
  await first.kill();
  const run = async (): Promise<void> => {
    const partition = await start({ ...description, restore: path });
    await assertGood(partition);
    await partition.kill();
  };
  await run();
  const warm = await readFile(`${path}.warm`);
  assert.ok(warm.length > 256 * 4096);
  const damaged = Buffer.from(warm);
  damaged[warm.length - 100] ^= 1;
  const renamed = Buffer.from(warm);
  renamed[12] ^= 1;
  for (const bad of [warm, warm.subarray(0, 1000), warm.subarray(0, warm.length - 1), damaged, renamed]) {
    await writeFile(`${path}.warm`, bad);
    await run();
  }
});

test("Partition.start: refuses a snapshot that is damaged, gone or of another machine, and says why", async () => {
  const path = join(folder, "refused");
  const partition = await start(description);
  await partition.snapshot(path);
  await partition.kill();
  const refusal = (changed: Partial<PartitionDescription>) =>
    codeOf(start({ ...description, restore: path, ...changed }));
  assert.match(await refusal({ memoryMiB: 128 }), /^snapshot-mismatch: .*memory: expected 64 MiB, found 128 MiB$/);
  assert.match(await refusal({ cpus: 2 }), /^snapshot-mismatch: .*CPUs: expected 1, found 2$/);
  assert.match(await refusal({ ports: [] }), /^snapshot-mismatch: .*ports: expected p, found none$/);
  assert.match(await refusal({ networks: [{ mac: 2 }] }), /^snapshot-mismatch: .*networks: expected none, found MTU/);
  assert.match(await refusal({ restore: join(folder, "nowhere") }), /^file-missing/);
  assert.match(await refusal({ restore: join(folder, "kernel") }), /^snapshot-foreign/);
  const bytes = await readFile(path);
  bytes[bytes.length - 10] ^= 4;
  await writeFile(path, bytes);
  assert.match(await refusal({}), /^snapshot-corrupt/);
  await writeFile(path, bytes.subarray(0, 1000));
  assert.match(await refusal({}), /^snapshot-corrupt: .*it has 1000 bytes of/);
});

test("Partition.snapshot: says why there can be none, and nothing is left of it", async () => {
  const plain = await start({ ...description, snapshots: false });
  assert.match(await codeOf(plain.snapshot(join(folder, "plain"))), /^snapshot-failed: .*not started as one/);
  await assertGood(plain);
  await plain.kill();
  assert.match(await codeOf(plain.snapshot(join(folder, "plain"))), /^snapshot-failed/);
  const disk = join(folder, "disk");
  await writeFile(disk, new Uint8Array(1024 * 1024));
  const writes = await start({
    ...description,
    disks: [{ path: disk, format: "raw", readOnly: false, mode: "direct" }],
  });
  assert.match(await codeOf(writes.snapshot(join(folder, "plain"))), /^snapshot-failed: disk .*writes to its file/);
  await writes.kill();
  const nowhere = await start(description);
  assert.match(await codeOf(nowhere.snapshot(join(folder, "no", "where"))), /^snapshot-failed/);
  // What was not saved then is saved the next time.
  await nowhere.snapshot(join(folder, "somewhere"));
  await nowhere.kill();
  assertWhole(join(folder, "somewhere"));
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes("plain") || name.includes("partial")),
    [],
  );
});
