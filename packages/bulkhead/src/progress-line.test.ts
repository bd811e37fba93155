import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { duration, fit, ProgressLine } from "./progress-line.ts";
import { Output } from "./streams.ts";

const recorder = (terminal: boolean) => {
  const written: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk.toString());
      done();
    },
  });
  return { written, output: new Output(Object.assign(stream, { isTTY: terminal, columns: 20 })) };
};

test("ProgressLine: redraws one line on a terminal, not too often, and erases it", async () => {
  const { written, output } = recorder(true);
  let nowMs = 0;
  const line = new ProgressLine(output, true, () => nowMs);
  line.show("one");
  line.show("two");
  nowMs = 100;
  line.show("three");
  await line.clear();
  await line.clear();
  assert.deepEqual(written, ["\r\x1b[Kone", "\r\x1b[Kthree", "\r\x1b[K"]);
});

test("ProgressLine: writes a plain line now and then elsewhere, or nothing", async () => {
  const { written, output } = recorder(false);
  let nowMs = 0;
  const line = new ProgressLine(output, true, () => nowMs);
  for (; nowMs < 12_000; nowMs += 1000) line.show(`at ${nowMs}`);
  await line.clear();
  assert.deepEqual(written, ["at 0\n", "at 5000\n", "at 10000\n"]);
  const silent = recorder(false);
  new ProgressLine(silent.output, false).show("one");
  assert.deepEqual(silent.written, []);
});

test("fit: cuts to a width and takes control characters out", () => {
  assert.equal(fit("\x1b[31mred\x1b[0m\r\n\tx", 20), "redx");
  assert.equal(fit("abcdef", 4), "abc…");
  assert.equal(fit("abcd", 4), "abcd");
});

test("duration: speaks as people do", () => {
  assert.equal(duration(-1), "0 s");
  assert.equal(duration(59.4), "59 s");
  assert.equal(duration(125), "2 min 05 s");
  assert.equal(duration(3720), "1 h 02 min");
});
