/** fio writes all over disks in a guest and verifies what it reads, and the images are clean afterwards. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { unpackedPrograms, writeProgramDisk } from "../../bench/tools/guest-programs.ts";
import { cacheDirectory } from "../../packages/guests/src/index.ts";
import { cli, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const cache = join(cacheDirectory(), "bench");
/** MiB of each disk that are written and verified; FIO_MIB=1024 is the long form. */
const MIB = Number(process.env.FIO_MIB ?? 8);

async function reasonToSkip(): Promise<false | string> {
  const busybox = await skipWithout("busybox");
  if (busybox !== false) return busybox;
  if (spawnSync("qemu-img", ["--version"]).status !== 0) return "no qemu-img on this host (qemu-utils)";
  if (existsSync(unpackedPrograms(cache)) || process.env.BULKHEAD_TEST_BUILD === "1") return false;
  return "fio is not in the cache: run npm run bench -- --only disk, or set BULKHEAD_TEST_BUILD=1";
}

const skip = await reasonToSkip();

test(`cli: fio verifies ${MIB} MiB on disks of every kind, and the images are clean`, { skip }, async () => {
  await withFolder(async (folder) => {
    const file = (name: string): string => join(folder, name);
    await writeProgramDisk(file("programs"), cache, () => {});
    for (const name of ["raw", "base"]) {
      await writeFile(file(name), "");
      await truncate(file(name), MIB * 2 ** 20);
    }
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", file("qcow2"), `${MIB}M`]);
    const backed = ["-o", "cluster_size=4096", "-F", "raw", "-b", "base", "layered"];
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", ...backed], { cwd: folder });
    const job = "--ioengine=libaio --direct=1 --rw=randwrite --bsrange=512-128k --iodepth=16 --verify=crc32c";
    const script = `
      mkdir /tmp/io
      tar xf /dev/vda -C /tmp/io || exit
      for disk in vdb vdc vdd vde; do
        /tmp/io/fio --name=$disk --filename=/dev/$disk ${job} --verify_fatal=1 --minimal >/tmp/out && echo "$disk: verified" || cat /tmp/out
      done
    `;
    const disks = ["programs,readonly", "raw", "qcow2", "layered", "base,overlay"].flatMap((name) => [
      "--disk",
      file(name),
    ]);
    const ended = await cli(["run", "busybox", "--memory", "512", ...disks, "--", "sh", "-c", script]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.stdout, "vdb: verified\nvdc: verified\nvdd: verified\nvde: verified\n", ended.stderr);
    for (const name of ["qcow2", "layered"]) {
      assert.equal(spawnSync("qemu-img", ["check", "-q", file(name)]).status, 0, `qemu-img check: ${name}`);
    }
  });
});
