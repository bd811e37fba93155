// The part that every initramfs of ours shares: busybox, its links, and the directories an init mounts on.
// Used for the busybox image itself, for Debian's initramfs and for the guest that builds Debian.
import { ImageError } from "../error.ts";
import { withDeb } from "../formats/deb.ts";
import { FormatError } from "../formats/format-error.ts";
import { InitramfsTree } from "../initramfs/tree.ts";
import { readApplets } from "./applets.ts";

/** The package busybox comes from: without libraries of its own. */
export const BUSYBOX_PACKAGE = "busybox-static";

/** Takes the program out of its package file. Throws ImageError. */
export async function readBusybox(debPath: string): Promise<Uint8Array> {
  try {
    return await withDeb(debPath, async (deb) => {
      for await (const entry of deb.data()) {
        if (/^\.?\/?(usr\/)?bin\/busybox$/.test(entry.name) && entry.type === "file") return await entry.content();
      }
      throw new FormatError("no bin/busybox in it");
    });
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new ImageError("package-corrupt", `${BUSYBOX_PACKAGE}: ${cause.message}`, { cause });
  }
}

/** A tree with busybox under all its names. Throws FormatError on a program that is no busybox. */
export function busyboxTree(program: Uint8Array): InitramfsTree {
  const tree = new InitramfsTree();
  for (const path of ["dev", "proc", "sys", "run", "mnt"]) tree.directory(path);
  tree.directory("tmp", 0o1777).directory("root", 0o700).directory("usr");
  tree.file("bin/busybox", program, 0o755);
  for (const applet of readApplets(program)) if (applet !== "busybox") tree.link(`bin/${applet}`, "busybox");
  tree.link("sbin", "bin").link("usr/bin", "../bin").link("usr/sbin", "../bin");
  // The kernel opens the console before anything is mounted.
  tree.character("dev/console", 0o600, 5, 1).character("dev/null", 0o666, 1, 3);
  return tree;
}
