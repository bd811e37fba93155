/** A host's file that takes no more, and file systems that guests leave behind. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmod, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cli, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const needed = ["qemu-img", "e2fsck"].filter((tool) => spawnSync(tool, ["-V"]).error !== undefined);
const skip = (await skipWithout("busybox")) || (needed.length > 0 ? `this host lacks ${needed.join(", ")}` : false);

const MIB = 1 << 20;

/** A Node whose files cannot become larger than some MiB: further writes fail in the middle, as on a full disk. */
async function limitedNode(folder: string, mostMiB: number): Promise<string> {
  const path = join(folder, "limited-node");
  // Dash counts blocks of 512 bytes, bash of 1024.
  const blocks = `$(if [ -n "$BASH_VERSION" ]; then echo ${mostMiB * 1024}; else echo ${mostMiB * 2048}; fi)`;
  await writeFile(path, `#!/bin/sh\ntrap '' XFSZ\nulimit -f ${blocks}\nexec "${process.execPath}" "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

const check = (image: string): number => spawnSync("qemu-img", ["check", "-q", image]).status ?? -1;
const fsck = (image: string): number => spawnSync("e2fsck", ["-f", "-n", image]).status ?? -1;

test("cli: a disk that fills up: the guest sees an I/O error, and goes on with what there is", { skip }, async () => {
  await withFolder(async (folder) => {
    const [raw, qcow2] = [join(folder, "raw"), join(folder, "qcow2")];
    await writeFile(raw, "");
    await truncate(raw, 32 * MIB);
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", qcow2, "32M"]);
    const script = `
      for disk in vda vdb; do
        dd if=/dev/zero of=/dev/$disk bs=1M count=4 conv=fsync 2>/dev/null && echo "$disk: written"
        dd if=/dev/zero of=/dev/$disk bs=1M seek=4 conv=fsync 2>/dev/null || echo "$disk: full"
        dd if=/dev/zero of=/dev/$disk bs=4k count=4 seek=16 oflag=direct 2>/dev/null && echo "$disk: goes on"
        dd if=/dev/$disk bs=1M count=4 2>/dev/null | wc -c
      done
    `;
    const disks = ["--disk", raw, "--disk", qcow2];
    const node = await limitedNode(folder, 8);
    const ended = await cli(["run", "busybox", "--memory", "256", ...disks, "--", "sh", "-c", script], { node });
    assert.equal(ended.code, 0, ended.stderr);
    const each = (disk: string) => `${disk}: written\n${disk}: full\n${disk}: goes on\n${4 * MIB}\n`;
    assert.equal(ended.stdout, each("vda") + each("vdb"));
    for (const disk of [raw, qcow2]) assert.match(ended.stderr, new RegExp(`disk ${disk}: E`));
    assert.equal(check(qcow2), 0, "qemu-img check finds errors");
  });
});

test("cli: file systems that a guest makes and fills are clean on the host", { skip }, async () => {
  await withFolder(async (folder) => {
    const [raw, qcow2] = [join(folder, "raw"), join(folder, "qcow2")];
    await writeFile(raw, "");
    await truncate(raw, 32 * MIB);
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4096", qcow2, "32M"]);
    const script = `
      mkdir /tmp/a
      modprobe ext4
      for disk in vda vdb; do
        mke2fs /dev/$disk >/dev/null 2>&1
        mount -t ext4 /dev/$disk /mnt || exit
        cp -r /bin /lib /mnt/ 2>/dev/null
        rm -r /mnt/lib
        mkdir /mnt/many
        i=0; while [ $i -lt 300 ]; do echo $i >/mnt/many/$i; i=$((i + 1)); done
        umount /mnt
      done
    `;
    const disks = ["--disk", raw, "--disk", qcow2];
    const ended = await cli(["run", "busybox", "--memory", "256", ...disks, "--", "sh", "-c", script]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(fsck(raw), 0, "e2fsck finds errors in the raw disk");
    assert.equal(check(qcow2), 0, "qemu-img check finds errors");
    execFileSync("qemu-img", ["convert", "-O", "raw", qcow2, `${qcow2}.raw`]);
    assert.equal(fsck(`${qcow2}.raw`), 0, "e2fsck finds errors in the qcow2 disk");
  });
});
