// The busybox image: a kernel and an initramfs, nothing else.
// Called by images/ensure.ts; see scripts/serve.sh for how it serves commands.
import { basename } from "node:path";
import type { InitramfsTree } from "../initramfs/tree.ts";
import {
  deviceModules,
  fileSystemModules,
  loadOrder,
  modulesAlias,
  modulesDep,
  modulesSoftdep,
} from "../kernel/modules.ts";
import { type Kernel, readModule } from "../kernel/store.ts";
import { readScript, serveScript } from "../scripts/read-script.ts";
import { busyboxTree } from "./tree.ts";

/** Puts modules and modprobe's tables into a tree. Throws FormatError where one is missing. */
export async function addModules(tree: InitramfsTree, kernel: Kernel, wanted: readonly string[]): Promise<void> {
  const modules = loadOrder(wanted, (name) => kernel.modules.find((each) => each.name === name));
  const directory = `lib/modules/${kernel.release}`;
  for (const module of modules) tree.file(`${directory}/kernel/${module.path}`, await readModule(kernel, module));
  tree.file(`${directory}/modules.dep`, modulesDep(modules));
  tree.file(`${directory}/modules.alias`, modulesAlias(modules));
  tree.file(`${directory}/modules.softdep`, modulesSoftdep(modules));
}

/** Puts modules into a tree to be loaded one by one: `lib/modules/order` names the files in order. */
export async function addOrderedModules(tree: InitramfsTree, kernel: Kernel, wanted: readonly string[]): Promise<void> {
  const modules = loadOrder(wanted, (name) => kernel.modules.find((each) => each.name === name));
  for (const module of modules) tree.file(`lib/modules/${basename(module.path)}`, await readModule(kernel, module));
  tree.file("lib/modules/order", modules.map(({ path }) => `${basename(path)}\n`).join(""));
}

const local = (name: string) => readScript(new URL(name, import.meta.url));

/** The initramfs of the busybox image. Throws FormatError where busybox or a module is not what it should be. */
export async function busyboxInitramfs(program: Uint8Array, kernel: Kernel): Promise<Uint8Array<ArrayBuffer>> {
  const tree = busyboxTree(program);
  await addModules(tree, kernel, [...deviceModules, ...fileSystemModules]);
  tree.file("init", await local("init.sh"), 0o755);
  tree.file("lib/bulkhead/serve.sh", await serveScript());
  tree.file("lib/bulkhead/udhcpc", await local("udhcpc.sh"), 0o755);
  for (const name of ["poweroff", "reboot", "halt"]) tree.file(`bin/${name}`, await local("poweroff.sh"), 0o755);
  tree.file("etc/profile", await local("profile.sh"));
  tree.file("etc/passwd", "root::0:0:root:/root:/bin/sh\nnobody:*:65534:65534:nobody:/:/bin/false\n");
  tree.file("etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n");
  tree.file("etc/hosts", "127.0.0.1 localhost busybox\n::1 localhost\n").file("etc/hostname", "busybox\n");
  return tree.toCpio();
}
