import assert from "node:assert/strict";
import { test } from "node:test";
import { cellsOf, nodeAt, readDeviceTree, stringsOf } from "./read.ts";
import { cells64, type TreeNode } from "./tree.ts";
import { writeDeviceTree } from "./write.ts";

const sample: TreeNode = {
  name: "",
  properties: { "#address-cells": [2], model: "a", flag: true, list: ["x", "yz"], raw: Uint8Array.of(1, 2, 3) },
  children: [
    { name: "one@10", properties: { reg: [...cells64(0x1_2345_6789), 0, 4096] } },
    { name: "two", properties: {}, children: [{ name: "deep", properties: { model: "b" } }] },
  ],
};

test("writeDeviceTree: what it writes reads back the same", () => {
  const root = readDeviceTree(writeDeviceTree(sample));
  assert.ok(root);
  assert.deepEqual(stringsOf(root, "list"), ["x", "yz"]);
  assert.deepEqual([...root.properties.get("raw")!], [1, 2, 3]);
  assert.equal(root.properties.get("flag")!.length, 0);
  assert.deepEqual(cellsOf(nodeAt(root, "/one@10"), "reg"), [1, 0x2345_6789, 0, 4096]);
  assert.deepEqual(stringsOf(nodeAt(root, "/two/deep"), "model"), ["b"]);
  assert.deepEqual(
    root.children.map((child) => child.name),
    ["one@10", "two"],
  );
});

test("writeDeviceTree: the header is version 17 and names the blocks in order", () => {
  const blob = writeDeviceTree(sample, 3);
  const view = new DataView(blob.buffer, blob.byteOffset);
  assert.equal(view.getUint32(0), 0xd00dfeed);
  assert.equal(view.getUint32(4), blob.length);
  assert.equal(view.getUint32(20), 17);
  assert.equal(view.getUint32(24), 16);
  assert.equal(view.getUint32(28), 3);
  assert.equal(view.getUint32(16) % 8, 0);
  assert.equal(blob.length % 8, 0);
  assert.equal(view.getUint32(8) + view.getUint32(36), view.getUint32(12));
});

test("writeDeviceTree: equal property names share one string", () => {
  const blob = writeDeviceTree(sample);
  const text = new TextDecoder("latin1").decode(blob);
  assert.equal(text.split("model\0").length - 1, 1);
});

test("writeDeviceTree: a tree larger than its first buffer is kept whole", () => {
  const children = Array.from({ length: 500 }, (_, i) => ({ name: `node@${i}`, properties: { reg: [i] } }));
  const root = readDeviceTree(writeDeviceTree({ name: "", properties: {}, children }));
  assert.equal(root?.children.length, 500);
  assert.deepEqual(cellsOf(nodeAt(root!, "/node@499"), "reg"), [499]);
});

test("readDeviceTree: refuses every truncation and survives every flipped byte", () => {
  const blob = writeDeviceTree(sample);
  for (let length = 0; length < blob.length; length += 3)
    assert.equal(readDeviceTree(blob.subarray(0, length)), undefined);
  for (let at = 0; at < blob.length; at++) {
    const broken = blob.slice();
    broken[at] ^= 0xff;
    readDeviceTree(broken);
  }
});
