// Which kernel modules are taken along, in which order they load, and the tables modprobe reads.
// Debian's kernel package brings no modules.dep: all follows from each module's .modinfo.
import { FormatError } from "../formats/format-error.ts";
import type { Modinfo } from "./modinfo.ts";

/** A module: its file in the kernel package below `kernel/`, without compression suffix, and its account of itself. */
export interface KernelModule extends Modinfo {
  path: string;
}

/** What drives the devices of a Bulkhead machine. */
export const deviceModules = [
  "virtio_mmio",
  "virtio_blk",
  "virtio_net",
  "9pnet_virtio",
  "vmw_vsock_virtio_transport",
  "virtio_rng",
  "virtio_balloon",
] as const;

/** File systems, with what ext4 asks for by alias at mount time. */
export const fileSystemModules = ["crc32c_generic", "ext4", "overlay", "9p"] as const;

/** What a Debian system asks its kernel for beyond devices and disks. */
export const systemModules = [
  "autofs4",
  "binfmt_misc",
  "configfs",
  "dm_mod",
  "fat",
  "isofs",
  "loop",
  "nls_ascii",
  "nls_cp437",
  "squashfs",
  "tun",
  "unix_diag",
  "vfat",
] as const;

/** Every module that is taken out of the kernel package, apart from what these depend on. */
export const wantedModules: readonly string[] = [...deviceModules, ...fileSystemModules, ...systemModules];

/**
 * The named modules with all they depend on, each after what it depends on. `find` answers by kernel spelling.
 * Throws FormatError where a module is missing or depends on itself.
 */
export function loadOrder<T extends Modinfo>(wanted: readonly string[], find: (name: string) => T | undefined): T[] {
  const ordered = new Set<T>();
  const open = new Set<string>();
  const visit = (name: string, neededBy: string) => {
    const found = find(name);
    if (found === undefined) throw new FormatError(`the kernel has no module ${name}, needed by ${neededBy}`);
    if (ordered.has(found)) return;
    if (open.has(name)) throw new FormatError(`module ${name} depends on itself`);
    open.add(name);
    for (const dependency of found.depends) visit(dependency, name);
    open.delete(name);
    ordered.add(found);
  };
  for (const name of wanted) visit(name, "the image");
  return [...ordered];
}

/** The text of `modules.dep`: for each module its path, then the paths it needs, nearest first. */
export function modulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((each) => [each.name, each]));
  const lines = modules.map((each) => {
    const needed = loadOrder([each.name], (name) => byName.get(name)).slice(0, -1);
    return `kernel/${each.path}:${needed
      .map(({ path }) => ` kernel/${path}`)
      .reverse()
      .join("")}\n`;
  });
  return lines.join("");
}

/** The text of `modules.alias`, by which the kernel's own requests find a module. */
export function modulesAlias(modules: readonly KernelModule[]): string {
  return modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`)).join("");
}

/** The text of `modules.softdep`. */
export function modulesSoftdep(modules: readonly KernelModule[]): string {
  return modules
    .filter(({ softBefore }) => softBefore.length > 0)
    .map(({ name, softBefore }) => `softdep ${name} pre: ${softBefore.join(" ")}\n`)
    .join("");
}
