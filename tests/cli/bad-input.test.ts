import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { failures } from "../../packages/bulkhead/src/exit-codes.ts";
import { tiny, tinyImage } from "../../packages/hypervisor/src/testing/tiny-guest.ts";
import { cli, contents, type Ended, withFolder } from "./cli.ts";

const MIB = 1024 * 1024;

/** One or two lines on stderr, nothing on stdout, the exit code of the failure and no stack. */
function assertFails(ended: Ended, failure: keyof typeof failures, said: RegExp): void {
  assert.match(ended.stderr, said);
  assert.equal(ended.code, failures[failure].exit, ended.stderr);
  assert.equal(ended.stdout, "");
  assert.match(ended.stderr, /^bulkhead: /);
  assert.ok(ended.stderr.trimEnd().split("\n").length <= 2, ended.stderr);
  assert.doesNotMatch(ended.stderr, /\n\s+at |node:internal/);
}

/** The same behind lines of progress. */
function assertEnds(ended: Ended, failure: keyof typeof failures, said: RegExp): void {
  const last = ended.stderr.trimEnd().split("\n").at(-1) ?? "";
  assertFails({ ...ended, stderr: `${last}\n` }, failure, said);
}

/** A kernel that asks for so much memory and does nothing. */
const image = (bytes: number): Uint8Array => tinyImage(tiny.loop, bytes);

const COMPILED = join(tmpdir(), "bulkhead-test-compiled");

/** Runs the CLI on files in a folder of its own and checks that the folder is as it was. */
const run = (files: Record<string, Uint8Array | number>, ...args: string[]): Promise<Ended> =>
  withFolder(async (folder) => {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      await writeFile(path, typeof content === "number" ? "" : content);
      if (typeof content === "number") await truncate(path, content);
      if (name.startsWith("read-only")) await chmod(path, 0o444);
    }
    const before = await contents(folder);
    const paths = args.map((arg) => arg.replace(/^@/, `${folder}/`));
    // What the sources compile to is kept on purpose, so it is kept elsewhere.
    const env = { TMPDIR: folder, BULKHEAD_CACHE: join(folder, "cache"), NODE_COMPILE_CACHE: COMPILED };
    const ended = await cli(["run", ...paths], { env });
    assert.deepEqual(await contents(folder), before, "something was left behind");
    return ended;
  });

test("cli: refuses a command line that makes no sense", async () => {
  assertFails(await cli(["fly"]), "usage", /unknown command 'fly'/);
  assertFails(await cli(["run"]), "usage", /nothing to run/);
  assertFails(await cli(["run", "busybox", "uname"]), "usage", /behind --/);
  assertFails(await cli(["run", "busybox", "--memory", "much"]), "usage", /whole number of MiB/);
  assertFails(await cli(["run", "--kernel", "x", "--", "true"]), "usage", /needs an IMAGE/);
  assertFails(await cli(["run", "busybox", "--"]), "usage", /expected a COMMAND/);
});

test("cli: suggests the image that was meant, and says what there is otherwise", async () => {
  assertFails(await run({}, "debain"), "image-unknown", /debian/);
  assertFails(await run({}, "debain", "--", "true"), "image-unknown", /debian/);
  assertFails(await run({}, "qqqqqqq"), "image-unknown", /qqqqqqq/);
});

test("cli: refuses a missing disk, kernel, initrd or firmware", async () => {
  assertFails(await run({}, "busybox", "--disk", "@none.img"), "file-missing", /disk .*none\.img/);
  assertFails(await run({}, "--kernel", "@Image"), "file-missing", /kernel .*Image/);
  assertFails(await run({}, "busybox", "--initrd", "@initrd"), "file-missing", /initrd .*initrd/);
  assertFails(await run({}, "--firmware", "@fw"), "file-missing", /firmware .*fw/);
});

test("cli: refuses a disk that is truncated, empty, read-only or of another format", async () => {
  const ext4 = new Uint8Array(4096);
  new DataView(ext4.buffer).setUint16(1024 + 56, 0xef53, true);
  new DataView(ext4.buffer).setUint32(1024 + 4, 4096, true);
  assertFails(await run({ d: ext4 }, "busybox", "--disk", "@d"), "disk-truncated", /ext4 .* needs 4194304 bytes/);
  assertFails(await run({ d: 700 }, "busybox", "--disk", "@d"), "disk-truncated", /multiple of 512/);
  assertFails(await run({ d: 0 }, "busybox", "--disk", "@d"), "disk-truncated", /empty/);
  assertFails(await run({ "read-only": MIB }, "busybox", "--disk", "@read-only"), "disk-read-only", /read-only/);
  const qcow2 = new Uint8Array([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3]);
  assertFails(await run({ d: qcow2 }, "busybox", "--disk", "@d"), "disk-truncated", /qcow2/);
  const vmdk = new Uint8Array([0x4b, 0x44, 0x4d, 0x56]);
  assertFails(await run({ d: vmdk }, "busybox", "--disk", "@d"), "disk-format", /VMDK/);
  assertFails(await run({ d: 512 }, "busybox", "--disk", "@d,format=qcow2"), "disk-format", /qcow2/);
  assertFails(await run({ d: 512 }, "busybox", "--disk", "@d,speed=9"), "usage", /speed/);
  assertFails(await run({}, "busybox", "--disk", "@"), "disk-format", /directory/);
});

test("cli: refuses a disk that another process holds", async () => {
  await withFolder(async (folder) => {
    const disk = join(folder, "disk");
    await writeFile(disk, new Uint8Array(MIB));
    const holder = spawn("flock", [disk, "sh", "-c", "echo held; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      await new Promise((resolve) => holder.stdout.once("data", resolve));
      assertFails(await cli(["run", "busybox", "--disk", disk]), "disk-in-use", /in use/);
    } finally {
      holder.stdin.end();
      await new Promise((resolve) => holder.once("close", resolve));
    }
  });
});

test("cli: refuses a kernel that is not a RISC-V Image", async () => {
  assertFails(await run({ k: new Uint8Array(4096) }, "--kernel", "@k"), "kernel-format", /Image/);
  assertFails(await run({ k: 0 }, "--kernel", "@k"), "kernel-format", /Image/);
  const elf = new Uint8Array(4096);
  elf.set([0x7f, 0x45, 0x4c, 0x46]);
  assertFails(await run({ k: elf }, "--kernel", "@k"), "kernel-format", /ELF/);
});

test("cli: refuses a kernel or an initrd that does not fit into memory", async () => {
  const small = await run({ k: image(64 * MIB) }, "--kernel", "@k", "--memory", "64");
  assertFails(small, "memory-too-small", /memory/);
  const large = await run({ k: image(MIB), i: 3000 * MIB }, "--kernel", "@k", "--initrd", "@i", "--memory", "128");
  assertFails(large, "initrd-too-large", /initrd/);
  const tight = await run({ k: image(MIB), i: 120 * MIB }, "--kernel", "@k", "--initrd", "@i", "--memory", "128");
  assertFails(tight, "initrd-too-large", /initrd/);
});

test("cli: says so when there is no mirror, and when the cache cannot be written", async () => {
  await withFolder(async (folder) => {
    const env = { BULKHEAD_CACHE: join(folder, "cache") };
    const nothing = ["images", "build", "busybox", "--mirror"];
    assertEnds(await cli([...nothing, "nonsense"], { env }), "network", /nonsense is not a mirror/);
    const file = join(folder, "file");
    await writeFile(file, "");
    const noCache = { BULKHEAD_CACHE: join(file, "cache") };
    assertEnds(await cli(["run", "busybox", "--", "true"], { env: noCache }), "cache-unwritable", /cannot be written/);
    assertFails(await cli(["images", "remove", "busybox"], { env }), "image-missing", /not built/);
    assertFails(await cli(["images", "build", "debian", "--include", "gcc"], { env }), "usage", /another name/);
    assertFails(await cli(["images", "build", "x", "--from", "y", "--include", "z"], { env }), "usage", /--from/);
    assertFails(await cli(["images", "build", "x"], { env }), "image-unknown", /needs --include/);
  });
});

test("cli: shows where an error comes from when debugging", async () => {
  const ended = await cli(["run"], { env: { BULKHEAD_DEBUG: "1" } });
  assert.match(ended.stderr, /\n\s+at /);
});
