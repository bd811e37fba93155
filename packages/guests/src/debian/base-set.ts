// The packages of the debian image: what Debian calls required, plus what makes a small system usable.
// Called by debian/image.ts; names are looked up in the archive when the image is built.
import type { Archive } from "../archive/client.ts";
import type { PackageRecord } from "../archive/package-index.ts";
import { recommended, resolve } from "../archive/resolve.ts";

/** Beyond essential and required packages. */
export const baseRoots: readonly string[] = [
  "apt",
  "init",
  "systemd-sysv",
  "udev",
  "dbus",
  "e2fsprogs",
  "iproute2",
  "iputils-ping",
  "kmod",
  "less",
  "netbase",
  "procps",
  "util-linux-extra",
];

/** What an image consists of: the base, which is laid out at once, and what the user adds, which dpkg installs. */
export interface PackageSet {
  base: PackageRecord[];
  added: PackageRecord[];
  /** Packages that were asked for, not merely needed: apt marks all others as automatic. */
  roots: ReadonlySet<string>;
}

/** Resolves the base and the additional packages, these with what they recommend themselves. Throws ImageError. */
export function packageSet(archive: Pick<Archive, "index">, include: readonly string[]): PackageSet {
  const required = archive.index.required().map(({ name }) => name);
  const base = resolve(archive.index, [...required, ...baseRoots]);
  const names = new Set(base.map(({ name }) => name));
  const wanted = [...names, ...include];
  const all =
    include.length === 0 ? base : resolve(archive.index, [...wanted, ...recommended(archive.index, include, wanted)]);
  const added = all.filter(({ name }) => !names.has(name));
  return { base, added, roots: new Set([...required, ...baseRoots, ...include]) };
}
