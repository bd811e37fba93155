import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { PackageIndex } from "../archive/package-index.ts";
import { ImageError } from "../error.ts";
import { FormatError } from "../formats/format-error.ts";
import { makeDeb } from "../testing/loopback-mirror.ts";
import { kernelPackages, madeKernelRelease, makeModule } from "../testing/made-archive.ts";
import { filesBelow, scratch } from "../testing/scratch.ts";
import { readModinfo } from "./modinfo.ts";
import { type KernelModule, loadOrder, modulesAlias, modulesDep, modulesSoftdep } from "./modules.ts";
import { findKernel, kernelPackage, readModule, unpackKernel } from "./store.ts";

const module = (name: string, ...depends: string[]): KernelModule => ({
  name,
  depends,
  aliases: [`fs-${name}`],
  softBefore: name === "ext4" ? ["crypto-crc32c"] : [],
  path: `fs/${name}.ko`,
});

test("readModinfo: reads names, dependencies, aliases and soft dependencies", () => {
  const elf = makeModule({
    license: ["GPL"],
    name: ["dm-mod"],
    depends: ["crc16,nls-base"],
    alias: ["fs-ext4", "ext3"],
    softdep: ["pre: crypto-crc32c sha256 post: late"],
  });
  assert.deepEqual(readModinfo(elf), {
    name: "dm_mod",
    depends: ["crc16", "nls_base"],
    aliases: ["fs-ext4", "ext3"],
    softBefore: ["crypto-crc32c", "sha256"],
  });
  assert.deepEqual(readModinfo(makeModule({ name: ["a"], depends: [""] })).depends, []);
});

test("readModinfo: survives any damage with a FormatError at most", () => {
  const elf = makeModule({ name: ["a"], depends: ["b"] });
  const seed = (Math.random() * 2 ** 32) >>> 0;
  let state = seed || 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 500; round++) {
    const damaged = elf.slice(0, random(4) === 0 ? random(elf.length) : elf.length);
    for (let flip = 0; flip < 2 && damaged.length > 0; flip++) damaged[random(damaged.length)] = random(256);
    try {
      readModinfo(damaged);
    } catch (error) {
      assert.ok(error instanceof FormatError, `seed ${seed}: ${error}`);
    }
  }
});

test("loadOrder: puts each module after what it depends on, once", () => {
  const all = [module("ext4", "jbd2", "mbcache"), module("jbd2", "crc"), module("mbcache"), module("crc")];
  const find = (name: string) => all.find((each) => each.name === name);
  assert.deepEqual(
    loadOrder(["ext4", "crc"], find).map(({ name }) => name),
    ["crc", "jbd2", "mbcache", "ext4"],
  );
  assert.throws(() => loadOrder(["none"], find), /no module none/);
  const circle = [module("a", "b"), module("b", "a")];
  assert.throws(() => loadOrder(["a"], (name) => circle.find((each) => each.name === name)), /depends on itself/);
});

test("modulesDep: lists what modprobe has to load, nearest first", () => {
  const all = [module("crc"), module("jbd2", "crc"), module("ext4", "jbd2")];
  assert.equal(
    modulesDep(all),
    "kernel/fs/crc.ko:\nkernel/fs/jbd2.ko: kernel/fs/crc.ko\nkernel/fs/ext4.ko: kernel/fs/jbd2.ko kernel/fs/crc.ko\n",
  );
  assert.equal(modulesAlias(all.slice(0, 1)), "alias fs-crc crc\n");
  assert.equal(modulesSoftdep(all), "softdep ext4 pre: crypto-crc32c\n");
});

function index(): PackageIndex {
  const found = new PackageIndex();
  for (const { name, fields = [] } of kernelPackages) {
    const rest = ["Filename: pool/k.deb", "Size: 1", `SHA256: ${"0".repeat(64)}`];
    found.add([`Package: ${name}`, "Version: 1", "Architecture: riscv64", ...fields, ...rest].join("\n"));
  }
  return found;
}

test("unpackKernel: keeps the Image and the wanted modules with all they depend on", async (t) => {
  const cache = await scratch(t);
  const found = kernelPackage({ index: index() });
  assert.equal(found.name, `linux-image-${madeKernelRelease}`);
  assert.equal(await findKernel(cache, found), undefined);
  const deb = join(cache, "kernel.deb");
  await writeFile(deb, makeDeb(kernelPackages[1]!));
  const kernel = await unpackKernel(cache, found, deb);
  assert.equal(kernel.release, madeKernelRelease);
  assert.equal(await readFile(kernel.image, "latin1"), "MZ kernel");
  const names = kernel.modules.map(({ name }) => name);
  assert.ok(names.indexOf("failover") < names.indexOf("net_failover"));
  assert.ok(names.indexOf("jbd2") < names.indexOf("ext4"));
  assert.equal(readModinfo(await readModule(kernel, kernel.modules[0]!)).name, names[0]);
  assert.deepEqual(await findKernel(cache, found), kernel);
});

test("unpackKernel: refuses a package without a kernel or a module, and leaves nothing of it", async (t) => {
  const cache = await scratch(t);
  const found = kernelPackage({ index: index() });
  const deb = join(cache, "kernel.deb");
  const [image, ...modules] = kernelPackages[1]!.files!;
  for (const files of [modules, [image!, ...modules.slice(1)]]) {
    await writeFile(deb, makeDeb({ name: "linux", files }));
    const refused = unpackKernel(cache, found, deb);
    await assert.rejects(refused, (error) => error instanceof ImageError && error.code === "package-corrupt");
    assert.deepEqual(await filesBelow(cache), []);
  }
});

test("kernelPackage: says when the archive has no kernel", () => {
  assert.throws(() => kernelPackage({ index: new PackageIndex() }), ImageError);
});
