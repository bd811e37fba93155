import assert from "node:assert/strict";
import { test } from "node:test";
import { diskPrograms, netPrograms, readFio, readIperf, readPing } from "./io-programs.ts";

/** A terse line with values in some of its fields, which are counted from 0. */
function terse(values: Readonly<Record<number, number>>): string {
  const fields = Array.from({ length: 130 }, (_, index) => values[index] ?? 0);
  return `fio: warming up\n${["3", "fio-3.39", "job", ...fields.slice(3)].join(";")}\r\n`;
}

test("readFio: takes bandwidth and IOPS of the direction that ran", () => {
  const reads = terse({ 6: 1000, 7: 250 });
  assert.deepEqual(readFio(reads, "read"), { iops: 250, megabytes: 1.024 });
  assert.equal(readFio(reads, "write"), undefined);
  assert.equal(readFio(terse({ 47: 2000, 48: 500 }), "write")?.iops, 500);
  assert.equal(readFio("fio: no such device", "read"), undefined);
});

test("readIperf: takes what arrived, not what was sent", () => {
  const sent = "[  5]   0.00-4.00   sec  1.00 GBytes  2200 Mbits/sec    0            sender\n";
  const got = "[  5]   0.00-4.00   sec  1.00 GBytes  2000 Mbits/sec                  receiver\r\n";
  assert.equal(readIperf(sent + got), 250);
  assert.equal(readIperf(sent), undefined);
});

test("readPing: takes the median, unless many answers are missing", () => {
  const line = (ms: number) => `64 bytes from 10.0.2.2: icmp_seq=1 ttl=64 time=${ms} ms\n`;
  const lines = Array.from({ length: 200 }, (_, index) => line(index < 100 ? 0.4 : 0.6)).join("");
  assert.equal(readPing(lines), 500);
  assert.equal(readPing(line(0.5)), undefined);
});

test("programs: pass their commands to the agent in one line, and have names of their own", () => {
  const commands = [
    ...diskPrograms.map((each) => each.command("/dev/x")),
    ...netPrograms.map((each) => each.command(1)),
  ];
  for (const command of commands) assert.ok(!command.includes("\n"));
  const names = [...diskPrograms, ...netPrograms].map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});
