import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine, describeRun, type Use, writesToHost } from "./launch.ts";
import type { RunOptions } from "./options.ts";
import { parseShare } from "./share-option.ts";

const plain: RunOptions = { memory: 1024, cpus: 1, disk: [] };
const command = { kind: "command" } as const;
const debian = { kernel: "/c/Image", initrd: "/c/initrd", append: "console=ttyS0 root=/dev/vda", disk: "/c/root.img" };

test("commandLine: gives a kernel a console and an end after a panic", () => {
  assert.equal(commandLine(undefined, undefined), "console=ttyS0 panic=-1");
  assert.equal(commandLine("a", " b  c "), "a b c console=ttyS0 panic=-1");
});

test("commandLine: leaves what is said as it is", () => {
  assert.equal(commandLine("console=hvc0 panic=5"), "console=hvc0 panic=5");
});

test("describeRun: a reboot restarts the guest of a terminal, and ends any other run", () => {
  const onReboot = (use: Use) => describeRun(debian, plain, use).onReboot;
  assert.equal(onReboot({ kind: "console", terminal: true }), "restart");
  assert.equal(onReboot({ kind: "console" }), "stop");
  assert.equal(onReboot(command), "stop");
});

test("describeRun: what is not to be kept goes where the image says", () => {
  assert.equal(describeRun({ ...debian, scratch: "/c" }, plain, command).scratch, "/c");
});

test("describeRun: runs an image on an overlay and its disk first", () => {
  const description = describeRun(debian, { ...plain, disk: ["x.img"] }, command);
  assert.deepEqual(description.disks, [
    { path: "/c/root.img", readOnly: false, mode: "overlay" },
    { path: "x.img", readOnly: false, mode: "direct" },
  ]);
  assert.deepEqual(description.boot, {
    kernel: "/c/Image",
    initrd: "/c/initrd",
    append: "console=ttyS0 root=/dev/vda panic=-1",
  });
  assert.equal(description.ports.length, 4);
  assert.equal(writesToHost(description), true);
});

test("describeRun: a share is a device with a tag, and a word that has it mounted", () => {
  const share = ["/host:/guest", "/other:/x:ro,cache=none,thread"].map(parseShare);
  const { shares, boot } = describeRun(debian, { ...plain, share }, command);
  assert.deepEqual(shares, [
    { path: "/host", tag: "share0", readOnly: false, cache: "auto", thread: false },
    { path: "/other", tag: "share1", readOnly: true, cache: "none", thread: true },
  ]);
  assert.match(boot.append ?? "", / systemd\.mount-extra=share0:\/guest:virtiofs:nofail systemd\.mount-extra=share1:/);
});

test("describeRun: writes to the image's disk with --persist only", () => {
  assert.equal(writesToHost(describeRun(debian, plain, command)), false);
  assert.equal(writesToHost(describeRun(debian, { ...plain, persist: true }, command)), true);
});

test("describeRun: a kernel of the user's own replaces the image's kernel and initrd", () => {
  const { boot } = describeRun(debian, { ...plain, kernel: "Image", append: "debug" }, command);
  assert.deepEqual(boot, { kernel: "Image", initrd: undefined, append: "console=ttyS0 root=/dev/vda debug panic=-1" });
});

test("describeRun: firmware starts what its disk holds", () => {
  const { boot, ports } = describeRun(undefined, { ...plain, firmware: "u-boot", disk: ["d"] }, { kind: "console" });
  assert.deepEqual(boot, {
    firmware: "u-boot",
    kernel: undefined,
    initrd: undefined,
    append: "console=ttyS0 panic=-1",
  });
  assert.deepEqual(ports, []);
});

test("describeRun: tells an image's console about the terminal, and gives it no agent", () => {
  const { boot, ports } = describeRun(debian, plain, { kind: "console", rows: 24, columns: 80 });
  assert.equal(boot.append, "console=ttyS0 root=/dev/vda bulkhead.console bulkhead.size=24x80 panic=-1");
  assert.deepEqual(ports, []);
  const piped = describeRun(debian, plain, { kind: "console", rows: undefined, columns: undefined });
  assert.equal(piped.boot.append, "console=ttyS0 root=/dev/vda bulkhead.console panic=-1");
});
