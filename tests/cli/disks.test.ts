/** Disks of every kind in one guest, as a user attaches them, and what is on the host afterwards. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Cli, printed, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const hasTools = ["qemu-img", "qemu-nbd"].every((tool) => spawnSync(tool, ["--version"]).status === 0);
const skip = (await skipWithout("busybox")) || (hasTools ? false : "no qemu-img or qemu-nbd on this host (qemu-utils)");

const MIB = 1024 * 1024;

/** Writes to each disk, reads it back past the cache, and says what it found. */
const SCRIPT = `
dd if=/dev/urandom of=/tmp/data bs=64k count=40 2>/dev/null
for disk in vda vdb vdc vde vdf; do
  dd if=/tmp/data of=/dev/$disk bs=12k seek=7 conv=fsync 2>/dev/null || echo "$disk: write failed"
done
dd if=/tmp/data of=/dev/vdd bs=4k count=1 conv=fsync 2>/dev/null && echo "vdd: was written to"
echo 3 > /proc/sys/vm/drop_caches
for disk in vda vdb vdc vde vdf; do
  dd if=/dev/$disk bs=12k skip=7 2>/dev/null | head -c 2621440 | cmp - /tmp/data || echo "$disk: differs"
done
for disk in vda vdb vdc vdd vde vdf; do printf "%s " $(cat /sys/block/$disk/size) $(cat /sys/block/$disk/ro); done
echo
echo written
while [ $(cat /sys/block/vda/size) = 8192 ]; do sleep 0.1; done
cat /sys/block/vda/size
`;

test("cli: disks of every kind hold what the guest writes, or refuse it, or forget it", { skip }, async () => {
  await withFolder(async (folder) => {
    const file = (name: string): string => join(folder, name);
    for (const name of ["raw", "base", "forgotten", "sealed", "slow"]) {
      await writeFile(file(name), new Uint8Array(4 * MIB).fill(name.charCodeAt(0)));
    }
    const qemuImg = (...args: string[]): string => execFileSync("qemu-img", args, { encoding: "utf8", cwd: folder });
    qemuImg("create", "-q", "-f", "qcow2", "-F", "raw", "-b", "base", "layered");
    qemuImg("create", "-q", "-f", "qcow2", "served", "4M");
    const server = spawn("qemu-nbd", ["-t", "-f", "qcow2", "-k", file("socket"), file("served")]);
    while (!existsSync(file("socket"))) await new Promise((resolve) => setTimeout(resolve, 20));
    const url = `nbd+unix:///?socket=${file("socket")}`;
    const disks = [file("raw"), file("layered"), `${file("forgotten")},overlay`, `${file("sealed")},readonly`, url];
    const options = [...disks, `${file("slow")},thread,iops=200`].flatMap((disk) => ["--disk", disk]);
    const running = new Cli(["run", "busybox", "--memory", "256", ...options, "--", "sh", "-c", SCRIPT]);
    try {
      await printed(running, "written\n");
      await truncate(file("raw"), 6 * MIB);
      const { code, stdout } = await running.ended;
      assert.equal(code, 0);
      assert.equal(stdout, "8192 0 8192 0 8192 0 8192 1 8192 0 8192 0 \nwritten\n12288\n");
    } finally {
      running.process.kill("SIGKILL");
      server.kill("SIGTERM");
    }
    const letters = (name: string) => new Uint8Array(4 * MIB).fill(name.charCodeAt(0));
    const raw = (await readFile(file("raw"))).subarray(0, 4 * MIB);
    assert.notDeepEqual(raw, Buffer.from(letters("raw")));
    for (const name of ["base", "forgotten", "sealed"]) {
      assert.ok((await readFile(file(name))).equals(letters(name)), `${name} has changed`);
    }
    const written = raw.subarray(7 * 12288, 7 * 12288 + 2_621_440);
    for (const name of ["layered", "served"]) {
      assert.match(qemuImg("check", name), /No errors/);
      qemuImg("convert", "-O", "raw", name, `${name}.raw`);
      const content = await readFile(file(`${name}.raw`));
      assert.ok(content.subarray(7 * 12288, 7 * 12288 + written.length).equals(written), `${name} differs`);
    }
    assert.ok(
      (await readFile(file("slow")))
        .subarray(7 * 12288)
        .subarray(0, written.length)
        .equals(written),
    );
  });
});
