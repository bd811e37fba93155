/** What a guest takes of the host's memory, and gives back: as the host counts it, of the whole process. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { ensureImage, Partition } from "../../packages/bulkhead/src/index.ts";
import { memoryReturn } from "../../packages/hypervisor/src/memory/memory-return-node.ts";
import { GuestMemory } from "../../packages/machine/src/memory.ts";
import { Cli, cli, printed } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const returns = memoryReturn(new GuestMemory(65536, 1)) !== undefined;
const busybox = await skipWithout("busybox");
const skip = busybox || (returns ? false : "this Node cannot give memory back to the host");

/** Resident memory of a process that is its own, in MiB. */
async function residentMiB({ process }: Cli): Promise<number> {
  const status = await readFile(`/proc/${process.pid}/status`, "utf8");
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

const MIB = 1024 * 1024;
const TAKEN_MIB = 500;
/** Waits for the balloon's driver, keeps something to be compared, and takes and frees memory when it is told to. */
const SCRIPT = `
head -c 4000000 /dev/urandom > /tmp/kept
md5sum < /tmp/kept > /tmp/sum
echo up
read line
dd if=/dev/zero of=/dev/null bs=${TAKEN_MIB}M count=1 2>/dev/null
echo freed
read line
cat /tmp/sum
md5sum < /tmp/kept
dd if=/dev/zero bs=20M count=1 2>/dev/null | tr -d "\\0" | wc -c
`;

test("cli: memory that a guest frees goes back to the host, and what it keeps stays", { skip }, async (t) => {
  const running = new Cli(["run", "busybox", "--memory", "1024", "--cpus", "2", "--", "sh", "-c", SCRIPT]);
  try {
    await printed(running, "up\n");
    const before = await residentMiB(running);
    assert.ok(before < 900, `a guest that uses little takes ${before} MiB`);
    running.process.stdin.write("\n");
    await printed(running, "freed\n");
    const freedMs = performance.now();
    const most = await residentMiB(running);
    let left = most;
    // Ends with the test's time where memory does not come back.
    while (most - left < 0.9 * TAKEN_MIB) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      left = await residentMiB(running);
    }
    const seconds = ((performance.now() - freedMs) / 1000).toFixed(1);
    t.diagnostic(`${Math.round(most - left)} of ${TAKEN_MIB} MiB were back after ${seconds} s`);
    running.process.stdin.end("\n");
    const { code, stdout } = await running.ended;
    assert.equal(code, 0);
    const [kept, now, zeros] = stdout.split("\n").slice(2);
    assert.equal(now, kept);
    assert.equal(zeros, "0");
  } finally {
    running.process.kill("SIGKILL");
  }
});

/** Waits until the balloon has so many bytes; ends with the test's time where it never has. */
async function ballooned(partition: Partition, mebibytes: number): Promise<void> {
  while (partition.balloonBytes !== mebibytes * MIB) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("Partition.setBalloon: takes memory from a running guest, and gives it back", { skip: busybox }, async () => {
  const { kernel, initrd, append } = await ensureImage("busybox");
  const partition = await Partition.start({
    memoryMiB: 384,
    balloonMiB: 100,
    cpus: 2,
    boot: { kernel, initrd, append: `${append} bulkhead.console` },
    disks: [],
    ports: [],
  });
  void partition.console[Symbol.asyncIterator]().next();
  const freeMiB = async (): Promise<number> => ((await partition.memoryStatistics())?.free ?? assert.fail()) / MIB;
  await ballooned(partition, 100);
  const free = await freeMiB();
  assert.ok(free < 284, `${free} MiB are free outside of the balloon`);
  partition.setBalloon(200 * MIB);
  await ballooned(partition, 200);
  const less = await freeMiB();
  assert.ok(free - less > 80, `${free} MiB have become ${less}`);
  partition.setBalloon(0);
  await ballooned(partition, 0);
  assert.ok((await freeMiB()) - less > 180);
  assert.throws(() => partition.setBalloon(400 * MIB), RangeError);
  await partition.kill();
  assert.equal(await partition.memoryStatistics(), undefined);
});

test("cli: --balloon is at most the guest's memory", async () => {
  const { code, stderr } = await cli(["run", "busybox", "--memory", "384", "--balloon", "385"]);
  assert.equal(code, 101);
  assert.match(stderr, /more than the guest's memory/);
});
