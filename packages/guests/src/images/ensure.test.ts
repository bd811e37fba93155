import assert from "node:assert/strict";
import { open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { PARTIAL } from "../cache/replace-file.ts";
import { ImageError, type ImageErrorCode } from "../error.ts";
import { readCpio } from "../formats/cpio.ts";
import { readTar } from "../formats/tar.ts";
import type { RunMachine } from "../machine.ts";
import type { Progress } from "../progress.ts";
import { impatience, LoopbackMirror, type MadePackage, testKeys } from "../testing/loopback-mirror.ts";
import { madeArchive, madeKernelRelease } from "../testing/made-archive.ts";
import { filesBelow, scratch } from "../testing/scratch.ts";
import { suggestName } from "./catalogue.ts";
import { type EnsureOptions, ensureImage, hasImage } from "./ensure.ts";
import { listImages, removeDownloads, removeImage } from "./list.ts";

const failsWith = (code: ImageErrorCode, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ImageError, String(error));
  assert.equal(error.code, code, error.message);
  if (message !== undefined) assert.match(error.message, message);
  return true;
};

async function serving(t: Parameters<typeof scratch>[0], packages: readonly MadePackage[] = madeArchive) {
  const mirror = await LoopbackMirror.start(packages);
  t.after(() => mirror[Symbol.asyncDispose]());
  const cache = await scratch(t);
  const { publicKey } = await testKeys();
  const options: EnsureOptions = { cache, mirror: mirror.address, keys: [publicKey], patience: impatience };
  return { mirror, cache, options };
}

/** Plays the building guest: says what a good one says, and marks the disk. */
const goodGuest: RunMachine = async ({ disks, onConsole }) => {
  const say = (line: string) => onConsole(new TextEncoder().encode(`${line}\r\n`));
  for (const step of ["format", "unpack", "configure"]) say(`bulkhead-build: step ${step}`);
  say("Setting up libc6:riscv64 (1) ...");
  const disk = await open(disks[0]!, "r+");
  await disk.write("ext4");
  await disk.close();
  say("bulkhead-build: step finish");
  say("bulkhead-build: done");
  return { stopped: "poweroff", code: 0 };
};

/** What may be left after a failure: the lock, and packages that were verified. */
const left = async (cache: string) =>
  (await filesBelow(cache)).filter((name) => !/^(lock|packages\/[^/]+\.deb)$/.test(name));

test("ensureImage: builds busybox once, then serves it from the cache without a mirror", async (t) => {
  const { mirror, cache, options } = await serving(t);
  const heard: Progress[] = [];
  assert.equal(await hasImage("busybox", { cache }), false);
  const image = await ensureImage("busybox", { ...options, onProgress: (progress) => heard.push(progress) });
  assert.equal(image.disk, undefined);
  assert.equal(await readFile(image.kernel, "latin1"), "MZ kernel");
  assert.ok(readCpio(await readFile(image.initrd)).some(({ name }) => name === "init"));
  assert.equal(image.manifest.kernelRelease, madeKernelRelease);
  assert.deepEqual([...new Set(heard.map(({ phase }) => phase))], ["index", "download", "kernel", "write"]);
  assert.ok(heard.every(({ fraction, secondsLeft }) => fraction >= 0 && fraction <= 1 && secondsLeft >= 0));
  const before = mirror.requests.length;
  assert.deepEqual(await ensureImage("busybox", { cache }), image);
  assert.equal(mirror.requests.length, before);
  assert.equal(await hasImage("busybox", { cache }), true);
  // The large package is not kept once the kernel is out of it.
  assert.ok(!(await filesBelow(cache)).some((name) => name.startsWith("packages/linux-image")));
});

test("ensureImage: builds debian by way of a guest that gets kernel, initramfs, an empty disk and the payload", async (t) => {
  const { cache, options } = await serving(t);
  let payload: string[] = [];
  let order = "";
  const runMachine: RunMachine = async (run) => {
    const one = async function* () {
      yield new Uint8Array(await readFile(run.disks[1]!));
    };
    for await (const { name } of readTar(one())) payload.push(name);
    const entries = readCpio(await readFile(run.initrd));
    order = new TextDecoder().decode(entries.find(({ name }) => name === "lib/bulkhead/preinst")?.content);
    assert.ok(entries.some(({ name }) => name === "bin/mke2fs"));
    assert.equal((await stat(run.disks[0]!)).size, 64 << 20);
    assert.equal((await stat(run.disks[0]!)).blocks, 0);
    return goodGuest(run);
  };
  const image = await ensureImage("debian", { ...options, runMachine, diskMiB: 64 });
  assert.equal((await readFile(image.disk!)).subarray(0, 4).toString(), "ext4");
  assert.match(image.append, /root=LABEL=bulkhead-root/);
  assert.deepEqual(order, "base-passwd base-passwd\nbase-files base-files\n");
  for (const name of ["etc/host.conf", "var/lib/dpkg/status", "etc/fstab", "usr/local/lib/bulkhead/agent"]) {
    assert.ok(payload.includes(name), name);
  }
  assert.ok(!payload.some((name) => name.startsWith("var/cache/bulkhead")));
  assert.deepEqual(await left(cache), [
    "images/debian/Image",
    "images/debian/disk.raw",
    "images/debian/initrd.cpio",
    "images/debian/manifest.json",
    ...(await filesBelow(cache)).filter((name) => name.startsWith("kernels/")),
  ]);
  payload = [];
  const own = await ensureImage("my-gcc", { ...options, runMachine, diskMiB: 64, include: ["gcc"] });
  assert.equal(own.manifest.diskMiB, 64);
  assert.deepEqual(own.manifest.include, ["gcc"]);
  assert.deepEqual(
    payload.filter((name) => name.startsWith("var/cache/bulkhead/")),
    ["var/cache/bulkhead/000", "var/cache/bulkhead/000/cpp.deb", "var/cache/bulkhead/000/gcc.deb"],
  );
  assert.deepEqual(await ensureImage("my-gcc", { cache }), own);
  const listed = await listImages({ cache });
  assert.deepEqual(
    listed.map(({ name, built, outdated, include }) => [name, built, outdated, include.join()]),
    [
      ["busybox", false, false, ""],
      ["debian", true, false, ""],
      ["my-gcc", true, false, "gcc"],
    ],
  );
  assert.ok((listed[1]?.bytes ?? 0) > 0);
});

test("ensureImage: leaves nothing of a guest that fails, panics or is out of space", async (t) => {
  const { cache, options } = await serving(t);
  const guest =
    (text: string, stopped: string): RunMachine =>
    async ({ onConsole }) => {
      onConsole(new TextEncoder().encode(text));
      return { stopped, code: 1 };
    };
  const attempt = (runMachine: RunMachine) => ensureImage("debian", { ...options, runMachine, diskMiB: 16 });
  const failed = guest("bulkhead-build: step format\nbulkhead-build: failed: mke2fs\n", "poweroff");
  await assert.rejects(attempt(failed), failsWith("build-failed", /the guest failed: mke2fs/));
  const panicked = guest("Kernel panic - not syncing: no init\n", "panic");
  await assert.rejects(attempt(panicked), (error) => {
    failsWith("build-failed", /stopped \(panic\) after: Kernel panic/)(error);
    assert.match((error as ImageError).log ?? "", /not syncing/);
    return true;
  });
  const full: RunMachine = async () => {
    throw Object.assign(new Error("ENOSPC: no space left on device, pwrite"), { code: "ENOSPC" });
  };
  await assert.rejects(attempt(full), failsWith("disk-full", /^build debian: /));
  // The kernel is complete and stays; nothing of the image does.
  assert.deepEqual(
    (await left(cache)).filter((name) => !name.startsWith("kernels/")),
    [],
  );
});

test("ensureImage: leaves nothing when it is interrupted, and can be called again", async (t) => {
  const { mirror, cache, options } = await serving(t);
  const stop = new AbortController();
  mirror.misbehave = (path) => {
    if (path.startsWith("/pool/")) stop.abort();
    return false;
  };
  await assert.rejects(ensureImage("busybox", { ...options, signal: stop.signal }), failsWith("interrupted"));
  assert.deepEqual(await left(cache), []);
  const inGuest = new AbortController();
  const runMachine: RunMachine = async ({ signal }) => {
    inGuest.abort();
    signal?.throwIfAborted();
    return { stopped: "poweroff", code: 0 };
  };
  const building = ensureImage("debian", { ...options, runMachine, diskMiB: 16, signal: inGuest.signal });
  await assert.rejects(building, failsWith("interrupted"));
  assert.ok(!(await left(cache)).some((name) => name.startsWith("images/")));
  mirror.misbehave = () => false;
  await ensureImage("busybox", options);
});

test("ensureImage: refuses wrong packages and leaves the cache untouched", async (t) => {
  const { mirror, cache, options } = await serving(t);
  const [path, bytes] = [...mirror.files].find(([name]) => name.includes("busybox-static"))!;
  mirror.files.set(path, bytes.with(100, 0));
  await assert.rejects(ensureImage("busybox", options), failsWith("checksum-mismatch", /busybox-static/));
  assert.deepEqual(await left(cache), []);
  mirror.files.set("/dists/trixie/InRelease", new TextEncoder().encode("-----BEGIN PGP SIGNED MESSAGE-----\n\nx"));
  await assert.rejects(ensureImage("busybox", options), failsWith("signature-invalid"));
});

test("ensureImage: builds once for two who ask at the same time", async (t) => {
  const { mirror, options } = await serving(t);
  const [a, b] = await Promise.all([ensureImage("busybox", options), ensureImage("busybox", options)]);
  assert.deepEqual(a, b);
  assert.equal(mirror.requests.filter((path) => path.endsWith("/InRelease")).length, 1);
});

test("ensureImage: sweeps what a killed build left, and builds again what is damaged or out of date", async (t) => {
  const { mirror, cache, options } = await serving(t);
  const image = await ensureImage("busybox", options);
  const stray = join(cache, "packages", `x${PARTIAL}1-a-0`);
  await writeFile(stray, "half");
  await truncate(image.initrd, 0);
  const again = await ensureImage("busybox", options);
  assert.ok((await stat(again.initrd)).size > 0);
  await assert.rejects(stat(stray));
  const manifest = join(cache, "images", "busybox", "manifest.json");
  await writeFile(manifest, JSON.stringify({ ...again.manifest, recipe: "old" }));
  assert.equal((await listImages({ cache })).find(({ name }) => name === "busybox")?.outdated, true);
  const before = mirror.requests.length;
  await ensureImage("busybox", options);
  assert.ok(mirror.requests.length > before);
  await writeFile(manifest, "{");
  await ensureImage("busybox", options);
});

test("ensureImage: refuses names that mean nothing, and suggests", async (t) => {
  const { cache, options } = await serving(t);
  await assert.rejects(ensureImage("debain", { cache }), failsWith("image-unknown", /did you mean debian\?/));
  await assert.rejects(ensureImage("windows", { cache }), failsWith("image-unknown", /busybox and debian/));
  for (const name of ["../x", "A b", "", ".x", "toString/"]) {
    await assert.rejects(ensureImage(name, { cache }), failsWith("image-name-invalid"));
  }
  await assert.rejects(ensureImage("constructor", { cache }), failsWith("image-unknown"));
  await assert.rejects(ensureImage("debian", { ...options, include: ["gcc"] }), failsWith("image-name-invalid"));
  const include = ["gcd"];
  await assert.rejects(
    ensureImage("mine", { ...options, include }),
    failsWith("package-missing", /did you mean gcc\?/),
  );
  assert.equal(await suggestName("busybx", cache), "busybox");
  assert.deepEqual(await left(cache), []);
});

test("removeImage: takes an image away and says when there is none", async (t) => {
  const { cache, options } = await serving(t);
  await ensureImage("busybox", options);
  await removeImage("busybox", { cache });
  assert.equal(await hasImage("busybox", { cache }), false);
  await assert.rejects(removeImage("busybox", { cache }), failsWith("image-missing"));
  await assert.rejects(removeImage("busybos", { cache }), failsWith("image-unknown", /did you mean busybox/));
  assert.ok((await removeDownloads({ cache })) > 0);
  assert.deepEqual(await filesBelow(cache), ["lock"]);
});

test("ensureImage: works where the cache directory does not exist yet", async (t) => {
  const { cache, options } = await serving(t);
  await rm(cache, { recursive: true });
  await ensureImage("busybox", options);
});
