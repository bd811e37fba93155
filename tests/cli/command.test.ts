import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { failures } from "../../packages/bulkhead/src/exit-codes.ts";
import { Cli, cli, contents, printed, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const skip = await skipWithout("busybox");

/** A command of the busybox guest. */
const busybox = (...command: string[]): string[] => ["run", "busybox", "--memory", "256", "--", ...command];

test("cli: a command's output, and nothing else", { skip }, async () => {
  const ended = await cli(busybox("uname", "-m"));
  assert.deepEqual(ended, { code: 0, signal: null, stdout: "riscv64\n", stderr: "" });
});

test("cli: a command's exit code, errors and arguments as they are", { skip }, async () => {
  const ended = await cli(
    busybox("sh", "-c", 'printf "%s|" "$@"; echo oops >&2; exit 7', "sh", "a b", "it's", "$HOME", ""),
  );
  assert.deepEqual(ended, { code: 7, signal: null, stdout: "a b|it's|$HOME||", stderr: "oops\n" });
});

test("cli: a large input comes out of a command as it went in, and leaves nothing behind", { skip }, async () => {
  await withFolder(async (folder) => {
    const input = randomBytes(3 * 1024 * 1024);
    const expected = await cli(busybox("md5sum"), { input, env: { TMPDIR: folder } });
    assert.equal(expected.stdout, `${createHash("md5").update(input).digest("hex")}  -\n`);
    assert.deepEqual(await contents(folder), []);
  });
});

test("cli: a signal reaches the command, and its end is the exit code", { skip }, async () => {
  const running = new Cli(busybox("sh", "-c", 'trap "echo caught; exit 9" TERM; echo up; while :; do sleep 0.1; done'));
  await printed(running, "up\n");
  running.process.kill("SIGTERM");
  const { code, stdout } = await running.ended;
  assert.equal(stdout, "up\ncaught\n");
  assert.equal(code, 9);
});

test("cli: an insistent user stops the machine of a deaf command", { skip }, async () => {
  const running = new Cli(busybox("sh", "-c", 'trap "" INT; echo up; while :; do sleep 1; done'));
  await printed(running, "up\n");
  running.process.kill("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 200));
  running.process.kill("SIGINT");
  const { code, stderr } = await running.ended;
  assert.equal(code, failures.killed.exit);
  assert.match(stderr, /stopped by SIGINT/);
});

test("cli: a reader that goes away ends the command", { skip }, async () => {
  const running = new Cli(busybox("yes"));
  await printed(running, "y\n");
  running.process.stdout.destroy();
  assert.equal((await running.ended).code, 128 + 13);
});

test("cli: a disk is /dev/vda, and what was written is in its file after the run", { skip }, async () => {
  await withFolder(async (folder) => {
    const disk = join(folder, "disk.img");
    await writeFile(disk, new Uint8Array(1024 * 1024));
    const write =
      "printf kept | dd of=/dev/vda bs=1 seek=4096 conv=notrunc 2>/dev/null && blockdev --getsize64 /dev/vda";
    const { stdout, stderr, code } = await cli(["run", "busybox", "--disk", disk, "--", "sh", "-c", write]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "1048576\n");
    assert.equal((await readFile(disk)).subarray(4096, 4100).toString(), "kept");
  });
});

test("cli: several CPUs are the guest's", { skip }, async () => {
  const { stdout } = await cli(["run", "busybox", "--cpus", "2", "--memory", "256", "--", "nproc"]);
  assert.equal(stdout, "2\n");
});
