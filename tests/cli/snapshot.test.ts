/** A snapshot that runs keep by themselves: later ones go on from it, each as a machine of its own. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cacheDirectory } from "@bulkhead/guests";
import { cli, type Ended } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const skip = await skipWithout("busybox");
/** A cache with the images of the usual one, and no snapshots yet. */
const cache = await mkdtemp(join(tmpdir(), "bulkhead-cache-"));
const folder = join(cache, "snapshots");
before(() => symlink(join(cacheDirectory(), "images"), join(cache, "images")));
after(() => rm(cache, { recursive: true }));
const mine = async (): Promise<string[]> => (await readdir(folder).catch(() => [])).sort();

const run = (script: string, ...options: string[]): Promise<Ended> =>
  cli(["run", "busybox", "--memory", "192", ...options, "--", "sh", "-c", script], {
    input: "input\n",
    env: { BULKHEAD_CACHE: cache },
  });

const WHO = [
  "cat /proc/sys/kernel/random/uuid",
  "head -c 16 /dev/urandom | od -An -tx1 | tr -d ' '",
  "date +%s",
  "cut -d. -f1 /proc/uptime",
  "dmesg | grep -c 'crng reseeded due to virtual machine fork'",
].join("; ");

test("cli: the first run of an image keeps a snapshot, later ones go on from it as machines of their own", {
  skip,
}, async () => {
  const plain = await run("echo plain", "--no-snapshot");
  assert.deepEqual([plain.code, plain.stdout, await mine()], [0, "plain\n", []], plain.stderr);
  const first = await run("echo first");
  assert.deepEqual([first.code, first.stdout, first.stderr], [0, "first\n", ""]);
  const [file] = await mine();
  assert.match(file, /^busybox-[0-9a-f]{16}\.snapshot$/);
  const beforeMs = Date.now();
  const others = await Promise.all([run(WHO), run(WHO)]);
  const seen = others.map(({ code, stdout, stderr }) => {
    assert.equal(code, 0, stderr);
    return stdout.trim().split("\n");
  });
  assert.equal(new Set(seen.flatMap((lines) => lines.slice(0, 2))).size, 4);
  for (const [, , date, uptime, forks] of seen) {
    // BusyBox sets the clock in whole seconds.
    assert.ok(Number(date) * 1000 >= beforeMs - 2000 && Number(date) * 1000 <= Date.now() + 1000, date);
    assert.ok(Number(uptime) >= 1, uptime);
    assert.equal(forks, "1");
  }
});

test("cli: the network of a guest that goes on works, and its input, output and exit code", { skip }, async (t) => {
  const server = createServer((_, response) => response.end("from the host\n"));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const script = `wget -q -O - http://10.0.2.2:${port}/; cat; exit 9`;
  const ended = await run(script, "--allow", `host:${port}`);
  assert.deepEqual([ended.code, ended.stdout], [9, "from the host\ninput\n"], ended.stderr);
});

test("cli: a kept snapshot that is damaged is replaced", { skip }, async () => {
  const file = join(folder, (await mine()).find((name) => name.endsWith(".snapshot")) ?? assert.fail());
  const bytes = await readFile(file);
  bytes[Math.floor(bytes.length / 2)] ^= 1;
  await writeFile(file, bytes);
  const { ino } = await stat(file);
  const ended = await run("echo again");
  assert.deepEqual([ended.code, ended.stdout], [0, "again\n"], ended.stderr);
  assert.notEqual((await stat(file)).ino, ino);
});
