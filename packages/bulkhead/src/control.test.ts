import assert from "node:assert/strict";
import { test } from "node:test";
import { type ControlEvent, ControlReader, controlLine } from "./control.ts";

const read = (...chunks: (string | Uint8Array)[]): ControlEvent[] => {
  const reader = new ControlReader();
  return chunks.flatMap((chunk) => [...reader.feed(typeof chunk === "string" ? Buffer.from(chunk) : chunk)]);
};

test("ControlReader: reads lines that arrive in pieces", () => {
  assert.deepEqual(read("rea", "dy\nexit 1", "4", "3\n"), [{ kind: "ready" }, { kind: "exit", code: 143 }]);
});

test("ControlReader: ignores what is not in the protocol", () => {
  const garbage = [
    "",
    "READY",
    "exit",
    "exit -1",
    "exit 256",
    "exit 1e1",
    "exit 0x1",
    " ready",
    "ready now",
    "exit 1 2",
  ];
  assert.deepEqual(read(garbage.map((line) => `${line}\n`).join("")), []);
});

test("ControlReader: drops a line that never ends, and goes on with the next", () => {
  const reader = new ControlReader();
  for (let i = 0; i < 1000; i++) assert.deepEqual([...reader.feed(Buffer.from("x".repeat(1000)))], []);
  assert.deepEqual([...reader.feed(Buffer.from("\nexit 3\n"))], [{ kind: "exit", code: 3 }]);
});

test("ControlReader: survives random bytes", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  };
  const reader = new ControlReader();
  for (let i = 0; i < 200; i++) {
    const bytes = new Uint8Array(500).map(random);
    for (const event of reader.feed(bytes)) assert.ok(event.kind === "ready" || event.code <= 255, `seed ${seed}`);
  }
  reader.feed(Buffer.from("\n")).next();
  assert.deepEqual([...reader.feed(Buffer.from("\nready\n"))], [{ kind: "ready" }], `seed ${seed}`);
});

test("controlLine.run: carries any command on one line", () => {
  const line = Buffer.from(controlLine.run(["printf", "a\nb é"])).toString();
  const [, word] = /^run ([A-Za-z0-9+/=]+)\n$/.exec(line) ?? assert.fail(line);
  assert.equal(Buffer.from(word, "base64").toString(), "exec 'printf' 'a\nb é'");
});

test("controlLine.run: leaves a command as it is where it fits into a line", () => {
  assert.equal(Buffer.from(controlLine.run(["echo", "it's \\0"])).toString(), "exec exec 'echo' 'it'\\''s \\0'\n");
});

test("controlLine.resume: gives the time in seconds", () => {
  assert.equal(Buffer.from(controlLine.resume(1234567)).toString(), "resume 1234.567\n");
});

test("controlLine.signal: gives the name without its prefix", () => {
  assert.equal(Buffer.from(controlLine.signal("SIGINT")).toString(), "signal INT\n");
});
