import assert from "node:assert/strict";
import { test } from "node:test";
import { runConsole } from "./run-console.ts";
import { ScriptedGuest, ScriptedStreams } from "./testing/scripted-guest.ts";

const start = (terminal: boolean) => {
  const guest = new ScriptedGuest();
  const streams = new ScriptedStreams();
  const modes: boolean[] = [];
  streams.stdin.isTTY = terminal;
  streams.stdin.setRawMode = (raw: boolean) => modes.push(raw);
  const exit = runConsole(guest, streams);
  exit.catch(() => {});
  return { guest, streams, modes, exit };
};

test("runConsole: joins the terminal to the console and ends with the guest", async () => {
  const { guest, streams, modes, exit } = start(true);
  guest.console.print("login\n");
  streams.stdin.write("ls\r");
  await guest.console.received(/^ls\r$/);
  guest.stop("power-off");
  assert.equal(await exit, 0);
  assert.equal(streams.out, "login\n");
  assert.deepEqual(modes, [true, false]);
});

test("runConsole: leaves at Ctrl-], behind what was typed before it", async () => {
  const { guest, streams, modes, exit } = start(true);
  streams.stdin.write("ab\x1dcd");
  assert.equal(await exit, 0);
  assert.equal(guest.console.input, "ab");
  assert.equal(guest.endedBy, "kill");
  assert.deepEqual(modes, [true, false]);
});

test("runConsole: types piped text when the guest shows a prompt, and goes on after its end", async () => {
  const { guest, streams, modes, exit } = start(false);
  streams.stdin.end("uname\x1d\n");
  guest.console.print("booting\n");
  await new Promise(setImmediate);
  assert.equal(guest.console.input, "");
  guest.console.print("/ # ");
  await guest.console.received(/^uname.\n$/);
  assert.equal(guest.endedBy, undefined);
  guest.stop("power-off");
  assert.equal(await exit, 0);
  assert.deepEqual(modes, []);
});

test("runConsole: restores the terminal when the guest panics and on a signal", async () => {
  const panicked = start(true);
  panicked.guest.stop("panic", ["Kernel panic - not syncing: x"]);
  await assert.rejects(panicked.exit, { code: "guest-panic" });
  assert.deepEqual(panicked.modes, [true, false]);
  const stopped = start(true);
  process.emit("SIGHUP", "SIGHUP");
  await assert.rejects(stopped.exit, { code: "killed", message: /SIGHUP/ });
  assert.deepEqual(stopped.modes, [true, false]);
});

test("runConsole: gives the code of a guest that powered off with one", async () => {
  const { guest, exit } = start(true);
  guest.stop("power-off", [], 3);
  assert.equal(await exit, 3);
});

test("runConsole: ends when nobody reads the console any more", async () => {
  const { guest, streams, exit } = start(false);
  streams.outputClosed = true;
  guest.console.print("hello");
  await assert.rejects(exit, { code: "killed", message: /SIGPIPE/ });
});
