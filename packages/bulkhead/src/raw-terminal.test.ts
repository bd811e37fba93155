import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { rawTerminal } from "./raw-terminal.ts";
import type { Terminal } from "./streams.ts";

const terminal = () => {
  const modes: boolean[] = [];
  const stdin: Terminal = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => modes.push(raw),
  });
  return { modes, stdin };
};

test("rawTerminal: restores once, and also when the process ends", () => {
  const { modes, stdin } = terminal();
  const lifetime = new EventEmitter();
  const restore = rawTerminal(stdin, lifetime);
  lifetime.emit("exit");
  restore();
  assert.deepEqual(modes, [true, false]);
  assert.equal(lifetime.listenerCount("exit") + lifetime.listenerCount("SIGCONT"), 0);
});

test("rawTerminal: asks for raw mode again after the process was stopped", () => {
  const { modes, stdin } = terminal();
  const lifetime = new EventEmitter();
  const restore = rawTerminal(stdin, lifetime);
  lifetime.emit("SIGCONT");
  restore();
  assert.deepEqual(modes, [true, false, true, false]);
});

test("rawTerminal: leaves what is no terminal alone, and survives one that has gone", () => {
  rawTerminal(new PassThrough())();
  const gone: Terminal = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => {
      throw new Error("setRawMode EIO");
    },
  });
  rawTerminal(gone, new EventEmitter())();
});
