import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsoleTail } from "./console-tail.ts";

const feed = (tail: ConsoleTail, text: string): void => tail.feed(new TextEncoder().encode(text));

test("ConsoleTail: keeps the last lines and the unfinished one", () => {
  const tail = new ConsoleTail(2);
  feed(tail, "one\r\ntwo\r\nthr");
  feed(tail, "ee\r\nfour");
  assert.deepEqual(tail.lines, ["two", "three", "four"]);
});

test("ConsoleTail: bounds a line that never ends", () => {
  const tail = new ConsoleTail(2);
  for (let i = 0; i < 100; i++) feed(tail, "x".repeat(1000));
  assert.equal(tail.lines.length, 1);
  assert.equal(tail.lines[0].length, 1024);
});

test("ConsoleTail: joins a character that was cut between two chunks", () => {
  const tail = new ConsoleTail();
  const bytes = new TextEncoder().encode("é\n");
  tail.feed(bytes.subarray(0, 1));
  tail.feed(bytes.subarray(1));
  assert.deepEqual(tail.lines, ["é"]);
});

test("ConsoleTail.panicked: recognises a kernel's panic with and without time stamps", () => {
  for (const line of [
    "[    0.412345] Kernel panic - not syncing: VFS: Unable to mount root fs",
    "[    0.412345] [    T1] Kernel panic - not syncing: Attempted to kill init!",
    "Kernel panic - not syncing: sysrq",
  ]) {
    const tail = new ConsoleTail();
    feed(tail, `hello\r\n${line}\r\n`);
    assert.equal(tail.panicked, true, line);
    assert.equal(tail.endsInPanic, false, line);
    assert.deepEqual(tail.report(5), [line]);
  }
});

test("ConsoleTail.panicked: is not fooled by a panic quoted inside a line", () => {
  const tail = new ConsoleTail();
  feed(tail, "# grep 'Kernel panic - not syncing' /var/log/syslog\r\n");
  assert.equal(tail.panicked, false);
});

test("ConsoleTail.endsInPanic: holds only while the end of the report is the last thing printed", () => {
  const tail = new ConsoleTail();
  feed(tail, "[    1.0] Kernel panic - not syncing: x\n[    1.0] ---[ end Kernel panic - not syncing: x ]---\r\n");
  assert.equal(tail.endsInPanic, true);
  feed(tail, "# ");
  assert.equal(tail.endsInPanic, false);
});
