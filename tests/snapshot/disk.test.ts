/** A guest's disk is part of its snapshot, and clones do not see one another's writes. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cacheDirectory, ensureImage } from "@bulkhead/guests";
import { Partition } from "@bulkhead/hypervisor/node";
import { withFolder } from "../cli/cli.ts";
import { skipWithout } from "../cli/guest.ts";

const skip = await skipWithout("busybox");
const MIB = 1024 * 1024;
const ports = ["bulkhead.control", "bulkhead.stdin", "bulkhead.stdout", "bulkhead.stderr"];

/** Lines of the guest's control port, one after the other. */
async function* lines(partition: Partition): AsyncGenerator<string, never> {
  let text = "";
  for await (const data of partition.port("bulkhead.control")) {
    text += Buffer.from(data).toString();
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n")) {
      yield text.slice(0, at);
      text = text.slice(at + 1);
    }
  }
  throw new Error("the guest has stopped");
}

class Guest {
  readonly partition: Partition;
  readonly #lines: AsyncGenerator<string, never>;

  constructor(partition: Partition) {
    this.partition = partition;
    this.#lines = lines(partition);
    void (async () => {
      for await (const _ of partition.console);
    })();
  }

  async said(): Promise<string> {
    return (await this.#lines.next()).value;
  }

  /** What a shell text prints. */
  async run(text: string): Promise<string> {
    await this.partition.port("bulkhead.control").write(Buffer.from(`exec ${text}; exec echo -n .\n`));
    let output = "";
    while (!output.endsWith(".")) {
      output += Buffer.from((await this.partition.port("bulkhead.stdout").read()) ?? assert.fail()).toString();
    }
    assert.equal(await this.said(), "exit 0");
    return output.slice(0, -1);
  }
}

test("Partition: a snapshot has what the guest wrote to its disk, and each clone goes on with a disk of its own", {
  skip,
}, async () => {
  const image = await ensureImage("busybox");
  await withFolder(async (folder) => {
    const disk = join(folder, "disk.raw");
    await writeFile(disk, new Uint8Array(16 * MIB).fill(0x61));
    const description = {
      memoryMiB: 192,
      cpus: 2,
      boot: { kernel: image.kernel, initrd: image.initrd, append: image.append },
      disks: [{ path: disk, format: "raw", readOnly: false, mode: "overlay" }] as const,
      ports,
      scratch: cacheDirectory(),
    };
    const write = (text: string, block: number): string =>
      `printf ${text} | dd of=/dev/vda bs=4096 seek=${block} conv=notrunc,fsync 2>/dev/null`;
    const read = (block: number): string =>
      `dd if=/dev/vda bs=4096 skip=${block} count=1 2>/dev/null | head -c 4; echo`;
    const parent = new Guest(await Partition.start({ ...description, snapshots: true }));
    assert.equal(await parent.said(), "ready");
    await parent.run(write("base", 7));
    const first = join(folder, "first");
    await parent.partition.snapshot(first);
    // What is written behind the snapshot is not in it.
    await parent.run(write("late", 7));
    const second = join(folder, "second");
    await parent.partition.snapshot(second);
    assert.equal(await parent.run(`${read(7)}; ${read(9)}`), "late\naaaa\n");
    await parent.partition.kill();
    const clones = await Promise.all(
      [first, first, second].map(async (restore) => new Guest(await Partition.start({ ...description, restore }))),
    );
    for (const [n, clone] of clones.entries()) await clone.run(write(`own${n}`, 9));
    const seen = await Promise.all(
      clones.map((clone) => clone.run(`echo 3 >/proc/sys/vm/drop_caches; ${read(7)}; ${read(9)}`)),
    );
    assert.deepEqual(seen, ["base\nown0\n", "base\nown1\n", "late\nown2\n"]);
    // A clone of a clone.
    const third = join(folder, "third");
    await clones[1].partition.snapshot(third);
    await Promise.all(clones.map(({ partition }) => partition.kill()));
    const last = new Guest(await Partition.start({ ...description, restore: third }));
    assert.equal(await last.run(`${read(7)}; ${read(9)}; ${read(8)}`), "base\nown1\naaaa\n");
    await last.partition.kill();
    assert.ok(
      (await readFile(disk)).every((byte) => byte === 0x61),
      "the disk below was written",
    );
  });
});
