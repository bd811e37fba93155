import assert from "node:assert/strict";
import { test } from "node:test";
import { bulkhead } from "./bulkhead.ts";
import type { GuestDescription } from "./emulator.ts";
import { findQemu } from "./qemu.ts";

const guest: GuestDescription = {
  kernel: "/k",
  initrd: "/i",
  append: "console=ttyS0 quiet",
  memoryMiB: 512,
  cpus: 2,
  disks: ["/a,b", "/c"],
};

test("bulkhead: starts the checkout's own command line with the guest's settings", () => {
  const { file, args } = bulkhead("/checkout", "x", "1").commandLine(guest);
  assert.equal(file, process.execPath);
  assert.match(args[0], /^\/checkout\/.*bulkhead\.js$/);
  assert.equal(
    args.slice(1).join(" "),
    "run --memory 512 --cpus 2 --kernel /k --initrd /i --append console=ttyS0 quiet --disk /a,b --disk /c",
  );
});

test("bulkhead, findQemu: attach disks that are written to, and a network, only where they are wanted", () => {
  const written: GuestDescription = { ...guest, writtenDisks: [{ path: "/w", format: "qcow2" }], network: true };
  const own = bulkhead("/checkout", "x", "1").commandLine(written).args.join(" ");
  assert.match(own, /--disk \/a,b --disk \/c --disk \/w,format=qcow2 --allow host$/);
  const qemu = findQemu(["echo", "QEMU emulator version 9.1.2 (Debian)\n"])!;
  const { args } = qemu.commandLine(written);
  assert.ok(args.includes("file=/w,if=none,id=disk2,format=qcow2"));
  const shared = { ...guest, share: "/s,t" };
  assert.ok(bulkhead("/checkout", "x", "1").commandLine(shared).args.includes("/s,t:/mnt"));
  assert.ok(qemu.commandLine(shared).args.includes("local,id=folder,path=/s,,t,security_model=none"));
  assert.ok(args.includes("user,id=nat") && !qemu.commandLine(guest).args.includes("-netdev"));
});

test("findQemu: knows no program that is not there or says no version", () => {
  assert.equal(findQemu(["/nonexistent"]), undefined);
  assert.equal(findQemu(["true"]), undefined);
});

test("findQemu: is named by its version, and doubles commas in paths as QEMU wants it", () => {
  const qemu = findQemu(["echo", "QEMU emulator version 9.1.2 (Debian)\n"]);
  assert.equal(qemu?.name, "QEMU 9.1");
  const { file, args } = qemu!.commandLine(guest);
  assert.equal(file, "echo");
  assert.ok(args.some((each) => each.startsWith("file=/a,,b,") && each.endsWith("format=raw,snapshot=on")));
  assert.equal(args[args.indexOf("-smp") + 1], "2");
  assert.equal(args[args.indexOf("-append") + 1], "console=ttyS0 quiet");
});
