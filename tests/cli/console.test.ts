import assert from "node:assert/strict";
import { test } from "node:test";
import { failures } from "../../packages/bulkhead/src/exit-codes.ts";
import { Cli, cli } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const skip = await skipWithout("busybox");

test("cli: text that is piped in is typed into the guest's shell, and poweroff ends the run", { skip }, async () => {
  const input = "uname -m\necho got-$((40 + 2))\npoweroff\n";
  const { code, stdout, stderr } = await cli(["run", "busybox", "--memory", "256"], { input });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^riscv64\r$/m);
  assert.match(stdout, /^got-42\r$/m);
  assert.equal(stderr, "");
});

test("cli: a kernel without a root file system panics, and the run says so", { skip }, async () => {
  const args = ["run", "busybox", "--memory", "256", "--append", "rdinit=/nothing root=/dev/none"];
  const { code, stderr } = await cli(args);
  assert.equal(code, failures["guest-panic"].exit, stderr);
  assert.match(stderr, /^bulkhead: the guest's kernel panicked:\n.*Kernel panic - not syncing/);
});

test("cli: a signal ends an interactive run", { skip }, async () => {
  const running = new Cli(["run", "busybox", "--memory", "256"]);
  await new Promise((resolve) => running.process.stdout.once("data", resolve));
  running.process.kill("SIGHUP");
  const { code, stderr } = await running.ended;
  assert.equal(code, failures.killed.exit);
  assert.match(stderr, /^bulkhead: the machine was stopped by SIGHUP\n$/);
});
