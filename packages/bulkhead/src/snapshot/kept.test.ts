import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { PartitionDescription } from "@bulkhead/hypervisor";
import type { RunOptions } from "../options.ts";
import { forgetImage, keptSnapshot, makeRoom } from "./kept.ts";

let cache: string;
let description: PartitionDescription;
const options: RunOptions = { memory: 64, cpus: 1, disk: [] };

before(async () => {
  cache = await mkdtemp(join(tmpdir(), "bulkhead-kept-"));
  const kernel = join(cache, "kernel");
  await writeFile(kernel, "kernel");
  description = { memoryMiB: 64, cpus: 1, boot: { kernel, append: "console=ttyS0" }, disks: [], ports: ["p"] };
});
after(() => rm(cache, { recursive: true }));

const kept = (changed: Partial<RunOptions> = {}, described: Partial<PartitionDescription> = {}, version = "1") =>
  keptSnapshot("tools", { ...options, ...changed }, { ...description, ...described }, version, cache);

test("keptSnapshot: is the same for runs that are alike, whatever address their network device has", () => {
  const path = kept();
  assert.match(path ?? "", /snapshots\/tools-[0-9a-f]{16}\.snapshot$/);
  assert.equal(kept(), path);
  const networks = (mac: number) => ({ networks: [{ mac }] });
  assert.equal(kept({}, networks(1)), kept({}, networks(2)));
});

test("keptSnapshot: is another one for another machine, image or version", async () => {
  const paths = [
    kept(),
    kept({}, { memoryMiB: 128 }),
    kept({}, { cpus: 2 }),
    kept({}, { networks: [{ mac: 1 }] }),
    kept({}, { boot: { ...description.boot, append: "quiet" } as PartitionDescription["boot"] }),
    kept({}, {}, "2"),
  ];
  await writeFile(join(cache, "kernel"), "another kernel");
  paths.push(kept());
  assert.equal(new Set(paths).size, paths.length);
});

test("keptSnapshot: there is none for runs that share something with the host or boot something else", () => {
  const changes: Partial<RunOptions>[] = [
    { snapshot: false },
    { disk: ["x.img"] },
    { kernel: "k" },
    { initrd: "i" },
    { firmware: "f" },
    { persist: true },
    { profile: "p.json" },
    { network: [{ kind: "private", name: "lab" }] },
  ];
  for (const change of changes) assert.equal(kept(change), undefined, JSON.stringify(change));
  assert.notEqual(kept({ network: [{ kind: "none" }] }), undefined);
});

test("makeRoom: keeps the latest snapshots of an image, and removes what a killed process has left", async () => {
  const directory = join(cache, "snapshots");
  await mkdir(directory, { recursive: true });
  const name = (n: number, image = "tools"): string => `${image}-${String(n).padStart(16, "0")}.snapshot`;
  const stale = `${name(9)}.partial-1-x`;
  for (let n = 0; n < 6; n++) {
    await writeFile(join(directory, name(n)), "");
    await writeFile(join(directory, `${name(n)}.checked`), "");
    await utimes(join(directory, name(n)), n, n);
  }
  for (const other of [name(0, "tools-more"), stale]) {
    await writeFile(join(directory, other), "");
    await utimes(join(directory, other), 1, 1);
  }
  makeRoom(join(directory, name(7)), "tools");
  const expected = [3, 4, 5].flatMap((n) => [name(n), `${name(n)}.checked`]);
  assert.deepEqual((await readdir(directory)).sort(), [...expected, name(0, "tools-more")].sort());
  forgetImage("tools", cache);
  assert.deepEqual(await readdir(directory), [name(0, "tools-more")]);
  forgetImage("tools", join(cache, "nowhere"));
});
