// The two initramfs archives of the debian image: one that boots the finished disk, one that builds it.
// Called by debian/image.ts. Both are busybox with a script; the building one also has e2fsprogs and its libraries.
import type { PackageRecord } from "../archive/package-index.ts";
import { addOrderedModules } from "../busybox/image.ts";
import { busyboxTree } from "../busybox/tree.ts";
import { ImageError } from "../error.ts";
import { withDeb } from "../formats/deb.ts";
import { FormatError } from "../formats/format-error.ts";
import type { InitramfsTree } from "../initramfs/tree.ts";
import type { Kernel } from "../kernel/store.ts";
import { readScript } from "../scripts/read-script.ts";
import type { UnpackedPackage } from "./database.ts";

const diskModules = ["virtio_mmio", "virtio_blk", "virtio_rng", "crc32c_generic", "ext4"];
const local = (name: string) => readScript(new URL(name, import.meta.url));

/** The initramfs that mounts the root disk and starts its init. */
export async function startInitramfs(busybox: Uint8Array, kernel: Kernel): Promise<Uint8Array<ArrayBuffer>> {
  const tree = busyboxTree(busybox);
  await addOrderedModules(tree, kernel, diskModules);
  tree.file("init", await local("start.sh"), 0o755);
  return tree.toCpio();
}

/** The files of e2fsprogs and of the libraries it needs, by their path inside a package. */
const WANTED =
  /^usr\/sbin\/(mke2fs|e2fsck)$|^etc\/mke2fs\.conf$|^usr\/(lib\/.*\/(?:lib(?:c|ext2fs|e2p|com_err|blkid|uuid)|ld-linux-[a-z0-9-]+)\.so\..*|lib\/ld-linux-[a-z0-9-]+\.so\..*)$/;
const NEEDED = ["sbin/mke2fs", "sbin/e2fsck", "etc/mke2fs.conf"];

/** The packages that `addFileSystemTools` takes its files from. */
export const fileSystemToolPackages = ["e2fsprogs", "libext2fs2t64", "libcom-err2", "libblkid1", "libuuid1", "libc6"];

async function addFileSystemTools(tree: InitramfsTree, debPaths: readonly string[]): Promise<void> {
  const found = new Set<string>();
  for (const path of debPaths) {
    await withDeb(path, async (deb) => {
      for await (const entry of deb.data()) {
        const name = entry.name.replace(/^\.?\//, "");
        if (!WANTED.test(name)) continue;
        const place = name.replace(/^usr\//, "");
        found.add(place);
        if (entry.type === "link") tree.link(place, entry.target);
        // sbin is a link to bin.
        else tree.file(place.replace(/^sbin\//, "bin/"), await entry.content(), entry.mode);
      }
    });
  }
  const missing = NEEDED.filter((name) => !found.has(name));
  if (missing.length > 0) throw new FormatError(`no ${missing.join(", ")} in the packages of e2fsprogs`);
}

/** What the building guest has to know of what it builds. */
export interface BuildOrder {
  unpacked: readonly UnpackedPackage[];
  base: readonly PackageRecord[];
  /** Units to mask once all packages are configured. */
  masked: readonly string[];
  path(each: PackageRecord): string;
}

/** On a fresh installation dpkg-maintscript-helper does nothing, whatever it is asked: see its manual page. */
function doesNothing(script: Uint8Array): boolean {
  const lines = new TextDecoder().decode(script).split("\n");
  return lines.every((line) => /^\s*(#.*|set -e|exit 0|dpkg-maintscript-helper\s[^;&|`$()]*-- "\$@")?\s*$/.test(line));
}

/** The packages whose preinst has to run, `name file` per line; base-passwd, which makes the users, first. */
export function preinstList(unpacked: readonly UnpackedPackage[]): string {
  const names = unpacked
    .filter(({ members }) => members.some(({ name, content }) => name === "preinst" && !doesNothing(content)))
    .map(({ control }) => {
      const name = /^Package: *(\S+)/m.exec(control)?.[1] ?? "";
      const same = /^Multi-Arch: *same *$/m.test(control);
      return { name, file: same ? `${name}:${/^Architecture: *(\S+)/m.exec(control)?.[1]}` : name };
    });
  const first = ({ name }: { name: string }) => (name === "base-passwd" ? 0 : 1);
  return names
    .sort((a, b) => first(a) - first(b))
    .map(({ name, file }) => `${name} ${file}\n`)
    .join("");
}

/** The initramfs that builds the disk. Throws ImageError. */
export async function buildInitramfs(
  busybox: Uint8Array,
  kernel: Kernel,
  order: BuildOrder,
): Promise<Uint8Array<ArrayBuffer>> {
  const tree = busyboxTree(busybox);
  await addOrderedModules(tree, kernel, diskModules);
  const tools = fileSystemToolPackages.map((name) => {
    const found = order.base.find((each) => each.name === name);
    if (found === undefined) throw new ImageError("package-missing", `the base has no package ${name}`);
    return order.path(found);
  });
  try {
    await addFileSystemTools(tree, tools);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new ImageError("package-corrupt", `e2fsprogs: ${cause.message}`, { cause });
  }
  tree.file("init", await local("build.sh"), 0o755);
  tree.file("lib/bulkhead/preinst", preinstList(order.unpacked));
  tree.file("lib/bulkhead/masked", order.masked.map((unit) => `${unit}\n`).join(""));
  tree.file("lib/bulkhead/kernel-release", `${kernel.release}\n`);
  tree.file("lib/bulkhead/dpkg-version", `${order.base.find(({ name }) => name === "dpkg")?.version ?? ""}\n`);
  return tree.toCpio();
}
