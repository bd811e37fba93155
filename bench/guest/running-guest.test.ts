import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Emulator, GuestDescription } from "../emulators/emulator.ts";
import { BenchError } from "../error.ts";
import { RunningGuest } from "./running-guest.ts";

const guest: GuestDescription = { kernel: "", initrd: "", append: "", memoryMiB: 1, cpus: 1, disks: [] };
const TIMEOUT_MS = 30_000;

/** The agent needs no guest: any shell runs it. */
function shell(...args: string[]): RunningGuest {
  const commandLine = () => ({ file: "sh", args });
  const emulator: Emulator = { name: "a shell", kind: "qemu", version: "", needsOwnDisks: false, commandLine };
  return RunningGuest.start(emulator, guest);
}

const agent = () => shell(join(import.meta.dirname, "agent.sh"));
const failure = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BenchError && error.code === "guest-failed", String(error));
  assert.match(error.message, message);
  return true;
};

test("RunningGuest.run: gives what a command printed and its exit code, one after another", async () => {
  const started = agent();
  await started.until(/@bench ready/, TIMEOUT_MS);
  const first = await started.run("echo one; echo two >&2", TIMEOUT_MS);
  assert.deepEqual([first.output, first.exit], ["one\ntwo\n", 0]);
  assert.equal((await started.run("exit 7", TIMEOUT_MS)).exit, 7);
  assert.equal((await started.run("echo '@bench end'; cat", TIMEOUT_MS)).output, "@bench end\n");
  assert.ok(started.usage.residentMiB > 0);
  await started.stop();
  await started.stop();
});

test("RunningGuest.until: says what the guest said last when it ends early", async () => {
  await assert.rejects(
    shell("-c", "echo panic >&2; exit 1").until(/never/, TIMEOUT_MS),
    failure(/a shell failed: it ended[\s\S]*panic/),
  );
});

test("RunningGuest.until: gives up in the end", async () => {
  const started = shell("-c", "echo hello; read -r line");
  await assert.rejects(started.until(/never/, 50), failure(/no answer[\s\S]*hello/));
  await started.stop();
});

test("RunningGuest.until: fails for a program that is not there", async () => {
  const commandLine = () => ({ file: "/nonexistent/program", args: [] });
  const emulator: Emulator = { name: "nothing", kind: "qemu", version: "", needsOwnDisks: false, commandLine };
  await assert.rejects(RunningGuest.start(emulator, guest).until(/x/, TIMEOUT_MS), failure(/ended/));
});
