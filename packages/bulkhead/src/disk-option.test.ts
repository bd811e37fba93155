import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDisk } from "./disk-option.ts";

const plain = { readOnly: false, mode: "direct" };

test("parseDisk: takes a file or a URL, with settings behind commas", () => {
  assert.deepEqual(parseDisk("d.img"), { path: "d.img", ...plain });
  assert.deepEqual(parseDisk("a,,b.img,readonly"), { path: "a,b.img", ...plain, readOnly: true });
  assert.deepEqual(parseDisk("d,format=qcow2,overlay,thread"), {
    path: "d",
    readOnly: false,
    mode: "overlay",
    format: "qcow2",
    thread: true,
  });
  assert.deepEqual(parseDisk("nbd+unix:///e?socket=/s,iops=100,bps=10M"), {
    path: "nbd+unix:///e?socket=/s",
    ...plain,
    limits: { iops: 100, bytesPerSecond: 10 * 1024 ** 2 },
  });
});

test("parseDisk: refuses what makes no sense", () => {
  const wrong = [
    "",
    ",readonly",
    "d,",
    "d,format=vmdk",
    "d,format",
    "d,readonly=yes",
    "d,iops=0",
    "d,iops=5K",
    "d,x=1",
  ];
  for (const text of [...wrong, "d,bps=1.5M", "d,readonly,readonly"]) {
    assert.throws(() => parseDisk(text), { code: "usage", message: /--disk/ }, text);
  }
});
