import assert from "node:assert/strict";
import { test } from "node:test";
import { call, eid, sampleHost } from "./sample-host.ts";

test("BASE: says SBI 2.0 and an implementation id that nobody else has", () => {
  assert.deepEqual(call(sampleHost(), "BASE", 0), [0n, 0x0200_0000n]);
  const [error, id] = call(sampleHost(), "BASE", 1) as [bigint, bigint];
  assert.equal(error, 0n);
  assert.ok(id > 100n && id < 1n << 31n);
});

test("BASE: probing finds what is there and nothing else", () => {
  for (const name of ["BASE", "TIME", "sPI", "RFNC", "HSM", "SRST", "DBCN", "PMU", "console putchar"])
    assert.deepEqual(call(sampleHost(), "BASE", 3, eid(name)), [0n, 1n], name);
  for (const id of [0x09n, 0x11n, 0x53555350n, 0x43505043n, -1n, 1n << 63n])
    assert.deepEqual(call(sampleHost(), "BASE", 3, id), [0n, 0n]);
});

test("BASE: machine identity comes from the hart's CSRs", () => {
  const host = sampleHost();
  host.harts[0].csrs.set(0xf11, 5n).set(0xf12, 6n).set(0xf13, 7n);
  assert.deepEqual(
    [4, 5, 6].map((fid) => call(host, "BASE", fid)),
    [
      [0n, 5n],
      [0n, 6n],
      [0n, 7n],
    ],
  );
});

test("BASE: a function that does not exist is not supported", () => {
  assert.deepEqual(call(sampleHost(), "BASE", 7), [-2n, 0n]);
});
