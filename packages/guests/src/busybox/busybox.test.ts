import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { PackageIndex } from "../archive/package-index.ts";
import { ImageError } from "../error.ts";
import { type CpioEntry, readCpio } from "../formats/cpio.ts";
import { kernelPackage, unpackKernel } from "../kernel/store.ts";
import { makeDeb } from "../testing/loopback-mirror.ts";
import { kernelPackages, madeKernelRelease, makeBusybox } from "../testing/made-archive.ts";
import { scratch } from "../testing/scratch.ts";
import { readApplets } from "./applets.ts";
import { busyboxInitramfs } from "./image.ts";
import { readBusybox } from "./tree.ts";

test("readApplets: reads the table up to its end", () => {
  const applets = readApplets(makeBusybox(["wc", "x11.y+z_"]));
  assert.ok(applets.includes("[[") && applets.includes("wc") && applets.includes("x11.y+z_"));
  assert.ok(!applets.includes("more"));
});

test("readApplets: refuses a program without a table or without what the images need", () => {
  assert.throws(() => readApplets(new TextEncoder().encode("ELF")), /no table/);
  assert.throws(() => readApplets(new TextEncoder().encode("\0[\0[[\0cat\0\0")), /no applet base64/);
});

test("readBusybox: finds the program in its package, and says when it is not there", async (t) => {
  const path = join(await scratch(t), "busybox.deb");
  const files = [{ name: "./usr/bin/busybox", content: makeBusybox() }];
  await writeFile(path, makeDeb({ name: "busybox-static", files }));
  assert.deepEqual(new Uint8Array(await readBusybox(path)), makeBusybox());
  await writeFile(path, makeDeb({ name: "busybox-static" }));
  await assert.rejects(readBusybox(path), (error) => error instanceof ImageError && error.code === "package-corrupt");
});

test("busyboxInitramfs: holds busybox, its links, the modules, modprobe's tables and the scripts, parents first", async (t) => {
  const cache = await scratch(t);
  const deb = join(cache, "kernel.deb");
  await writeFile(deb, makeDeb(kernelPackages[1]!));
  const index = new PackageIndex();
  for (const { name, fields = [] } of kernelPackages) {
    const rest = ["Filename: k", "Size: 1", `SHA256: ${"0".repeat(64)}`];
    index.add([`Package: ${name}`, "Version: 1", "Architecture: riscv64", ...fields, ...rest].join("\n"));
  }
  const kernel = await unpackKernel(cache, kernelPackage({ index }), deb);
  const entries = readCpio(await busyboxInitramfs(makeBusybox(), kernel));
  const text = (entry: CpioEntry | undefined) => new TextDecoder().decode(entry?.content);
  const at = (name: string) => entries.find((entry) => entry.name === name);
  assert.equal(at("init")?.mode, 0o100755);
  assert.equal(text(at("bin/sh")), "busybox");
  assert.equal(text(at("sbin")), "bin");
  // Not the applets: there is no init process for them to ask.
  assert.match(text(at("bin/poweroff")), /^#!\/bin\/sh/);
  assert.ok(at(`lib/modules/${madeKernelRelease}/kernel/made/virtio-mmio.ko`));
  assert.match(text(at(`lib/modules/${madeKernelRelease}/modules.dep`)), /ext4\.ko: .*jbd2\.ko/);
  assert.match(text(at(`lib/modules/${madeKernelRelease}/modules.alias`)), /^alias made:ext4 ext4$/m);
  assert.ok(at("lib/bulkhead/serve.sh"));
  const seen = new Set([""]);
  for (const { name } of entries) {
    assert.ok(seen.has(name.split("/").slice(0, -1).join("/")), `${name} before its parent`);
    assert.ok(!seen.has(name), `${name} twice`);
    seen.add(name);
  }
});

test("guest scripts: are correct shell", () => {
  for (const folder of ["busybox", "debian", "scripts"]) {
    const directory = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
    for (const name of readdirSync(directory).filter((each) => each.endsWith(".sh"))) {
      const { status, stderr } = spawnSync("sh", ["-n", join(directory, name)], { encoding: "utf8" });
      assert.equal(status, 0, `${basename(name)}: ${stderr}`);
    }
  }
});
