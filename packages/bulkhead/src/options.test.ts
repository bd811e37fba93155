import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRun, collect, type RunOptions, splitCommand, wholeNumber } from "./options.ts";

const plain: RunOptions = { memory: 1024, cpus: 1, disk: [] };

test("wholeNumber: takes whole numbers in the range and nothing else", () => {
  const parse = wholeNumber(16, 4096, "MiB");
  assert.equal(parse("1024"), 1024);
  for (const text of ["", "0", "15", "4097", "1e3", "0x10", "12.5", " 64", "64M", "-64", "9999999999"]) {
    assert.throws(() => parse(text), /from 16 to 4096/, text);
  }
});

test("splitCommand: splits at the first -- only", () => {
  assert.deepEqual(splitCommand(["a", "--", "b", "--", "-c"]), { own: ["a"], command: ["b", "--", "-c"] });
  assert.deepEqual(splitCommand(["a"]), { own: ["a"] });
  assert.deepEqual(splitCommand(["--"]), { own: [], command: [] });
});

test("collect: keeps the order of a repeated option", () => {
  assert.deepEqual(collect("b", collect("a", [])), ["a", "b"]);
});

test("checkRun: takes an image, a kernel or firmware", () => {
  checkRun("busybox", plain, ["true"]);
  checkRun("busybox", { ...plain, persist: true, initrd: "i" }, undefined);
  checkRun(undefined, { ...plain, kernel: "Image", initrd: "i" }, undefined);
  checkRun(undefined, { ...plain, firmware: "fw" }, undefined);
});

test("checkRun: refuses what makes no sense", () => {
  const usage = { code: "usage" };
  assert.throws(() => checkRun(undefined, plain, undefined), usage);
  assert.throws(() => checkRun(undefined, { ...plain, kernel: "Image" }, ["true"]), usage);
  assert.throws(() => checkRun(undefined, { ...plain, kernel: "Image", persist: true }, undefined), usage);
  assert.throws(() => checkRun(undefined, { ...plain, firmware: "fw", initrd: "i" }, undefined), usage);
  assert.throws(() => checkRun("busybox", plain, []), usage);
  assert.throws(() => checkRun("busybox", { ...plain, balloon: 1025 }, undefined), usage);
  assert.throws(() => checkRun("busybox", { ...plain, disk: Array(17).fill("d") }, undefined), usage);
});
