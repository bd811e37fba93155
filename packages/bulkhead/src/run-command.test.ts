import assert from "node:assert/strict";
import { test } from "node:test";
import { ports } from "./control.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";
import { ScriptedGuest, ScriptedStreams } from "./testing/scripted-guest.ts";

const options: CommandOptions = { name: "busybox", shutDown: false, sync: false, showConsole: false };

const start = (changed: Partial<CommandOptions> = {}) => {
  const guest = new ScriptedGuest();
  const streams = new ScriptedStreams();
  const exit = runCommand(guest, ["cat"], streams, { ...options, ...changed });
  exit.catch(() => {});
  return { guest, streams, exit, control: guest.port(ports.control) };
};

test("runCommand: passes output, errors and the exit code through, and nothing of the boot", async () => {
  const { guest, streams, exit, control } = start();
  guest.console.print("[    0.0] Linux version 6.12\n");
  control.print("ready\n");
  await control.received(/^exec exec 'cat'\n$/);
  guest.port(ports.stdout).print("out");
  guest.port(ports.stderr).print("err");
  control.print("exit 7\n");
  assert.equal(await exit, 7);
  assert.equal(streams.out, "out");
  assert.equal(streams.err, "err");
  assert.equal(guest.endedBy, "drain");
});

test("runCommand: passes input through and closes the port at its end", async () => {
  const { guest, streams, exit, control } = start();
  control.print("ready\n");
  streams.stdin.end("hello");
  const stdin = guest.port(ports.stdin);
  await stdin.inputEnded();
  assert.equal(stdin.input, "hello");
  control.print("exit 0\n");
  assert.equal(await exit, 0);
});

test("runCommand: sends no input before the command runs", async () => {
  const { guest, streams, control } = start();
  streams.stdin.end("hello");
  await new Promise(setImmediate);
  assert.equal(guest.port(ports.stdin).input, "");
  control.print("ready\n");
  await guest.port(ports.stdin).inputEnded();
});

test("runCommand: starts the command once, however often the guest is ready", async () => {
  const { guest, exit, control } = start();
  control.print("ready\nready\nnonsense\nexit 999\nexit 0\n");
  assert.equal(await exit, 0);
  assert.equal(guest.port(ports.control).input.split("\n").length, 2);
});

test("runCommand: does not wait for a guest that goes on, and tells it the time first", async () => {
  const { guest, exit, control } = start({ resumed: true });
  await control.received(/exec/);
  const [resume, run] = control.input.split("\n");
  assert.ok(Math.abs(Number(/^resume (\d+\.\d{3})$/.exec(resume)?.[1]) * 1000 - Date.now()) < 60_000, resume);
  assert.equal(run, "exec exec 'cat'");
  control.print("exit 3\n");
  assert.equal(await exit, 3);
  assert.equal(guest.endedBy, "drain");
});

test("runCommand: starts the command when a snapshot is held, and stops the guest when it is whole", async () => {
  const [held, kept] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { guest, exit, control } = start({ onReady: () => held.promise, onEnd: () => kept.promise });
  control.print("ready\n");
  await new Promise(setImmediate);
  assert.equal(control.input, "");
  held.resolve();
  await control.received(/^exec/);
  control.print("exit 0\n");
  await new Promise(setImmediate);
  assert.equal(guest.endedBy, undefined);
  kept.resolve();
  assert.equal(await exit, 0);
});

test("runCommand: forwards a signal, and stops the machine when it is repeated", async () => {
  const { guest, exit, control } = start();
  control.print("ready\n");
  await control.received(/exec/);
  process.emit("SIGTERM", "SIGTERM");
  process.emit("SIGTERM", "SIGTERM");
  await control.received(/signal TERM\n$/);
  assert.equal(guest.endedBy, undefined);
  await new Promise((resolve) => setTimeout(resolve, 100));
  process.emit("SIGTERM", "SIGTERM");
  await assert.rejects(exit, { code: "killed" });
  assert.equal(guest.endedBy, "kill");
});

test("runCommand: stops the machine on a signal while it boots", async () => {
  const { guest, exit } = start();
  process.emit("SIGINT", "SIGINT");
  await assert.rejects(exit, { code: "killed" });
  assert.equal(guest.endedBy, "kill");
});

test("runCommand: sends SIGPIPE when nobody reads the output any more", async () => {
  const { guest, streams, exit, control } = start();
  control.print("ready\n");
  await control.received(/exec/);
  streams.outputClosed = true;
  guest.port(ports.stdout).print("a");
  await control.received(/signal PIPE\n$/);
  guest.port(ports.stdout).print("b");
  control.print("exit 141\n");
  assert.equal(await exit, 141);
});

test("runCommand: shuts a guest down that writes to a disk", async () => {
  const { guest, exit, control } = start({ shutDown: true });
  control.print("ready\nexit 5\n");
  await control.received(/poweroff\n$/);
  guest.stop("power-off");
  assert.equal(await exit, 5);
  assert.equal(guest.endedBy, undefined);
});

test("runCommand: has a guest write back what it holds of a shared folder", async () => {
  const { guest, exit, control } = start({ sync: true });
  control.print("ready\nexit 5\n");
  await control.received(/^exec .+\nexec .+\n$/);
  assert.equal(guest.endedBy, undefined);
  control.print("exit 0\n");
  assert.equal(await exit, 5);
  assert.equal(guest.endedBy, "drain");
});

test("runCommand: fails with the last lines when the guest panics", async () => {
  const { guest, exit } = start();
  guest.stop("panic", ["Kernel panic - not syncing: VFS"]);
  await assert.rejects(exit, { code: "guest-panic", message: /panicked:\n {2}Kernel panic - not syncing: VFS/ });
});

test("runCommand: says so when the guest powers off before the command has ended", async () => {
  const { guest, exit, control } = start();
  control.print("ready\n");
  await control.received(/exec/);
  guest.stop("power-off");
  await assert.rejects(exit, { code: "guest-stopped" });
});

test("runCommand: takes an exit code that came just before the end", async () => {
  const { guest, exit, control } = start();
  control.print("ready\nexit 4\n");
  guest.stop("power-off");
  assert.equal(await exit, 4);
});
