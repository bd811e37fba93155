/** The whole host is killed while a guest writes: every flush that the guest was told of is there afterwards. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Cli, printed, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const hasTools = spawnSync("qemu-img", ["--version"]).status === 0;
const skip = (await skipWithout("busybox")) || (hasTools ? false : "no qemu-img on this host (qemu-utils)");
/** HOST_KILLS=200 is the long form. */
const KILLS = Number(process.env.HOST_KILLS ?? 1);

const MIB = 1024 * 1024;
/** Sector n of each disk gets the number n, which is printed when both have flushed it. */
const SCRIPT = `
i=0
while :; do
  i=$((i + 1))
  for disk in vda vdb; do printf '%08d' $i | dd of=/dev/$disk bs=512 seek=$((i * 8)) conv=fsync 2>/dev/null || exit; done
  echo $i
done
`;

async function lifeOf(folder: string, life: number): Promise<void> {
  const [raw, qcow2] = [join(folder, `raw-${life}`), join(folder, `qcow2-${life}`)];
  await writeFile(raw, new Uint8Array(16 * MIB));
  execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4096", qcow2, "16M"]);
  const disks = ["--disk", raw, "--disk", qcow2];
  const running = new Cli(["run", "busybox", "--memory", "256", ...disks, "--", "sh", "-c", SCRIPT]);
  await printed(running, `${10 + Math.floor(Math.random() * 40)}\n`);
  running.process.kill("SIGKILL");
  const { stdout } = await running.ended;
  const last = Number(stdout.trimEnd().split("\n").slice(0, -1).at(-1));
  assert.ok(last > 0);
  const check = spawnSync("qemu-img", ["check", "--output=json", qcow2], { encoding: "utf8" });
  assert.equal(JSON.parse(check.stdout).corruptions ?? 0, 0);
  execFileSync("qemu-img", ["convert", "-O", "raw", qcow2, `${qcow2}.raw`]);
  for (const path of [raw, `${qcow2}.raw`]) {
    const content = await readFile(path);
    for (let i = 1; i <= last; i++) {
      assert.equal(content.toString("latin1", i * 4096, i * 4096 + 8), String(i).padStart(8, "0"), path);
    }
  }
}

test(`cli: ${KILLS} killed hosts cost no guest a write that it has flushed`, { skip }, async () => {
  await withFolder(async (folder) => {
    for (let life = 0; life < KILLS; life++) await lifeOf(folder, life);
  });
});
