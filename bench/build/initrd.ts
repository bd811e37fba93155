/** The initramfs of the busybox guest: the image's own, with an archive behind it that replaces init and adds files. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InitramfsTree } from "../../packages/guests/src/initramfs/tree.ts";

const GUEST = join(import.meta.dirname, "..", "guest");

/** Files for the guest's /bench. */
export type GuestFiles = ReadonlyMap<string, Uint8Array>;

/** Writes the initramfs to `path`. The kernel unpacks archives one after another, later files replace earlier ones. */
export async function writeInitrd(path: string, imageInitrd: string, files: GuestFiles): Promise<void> {
  const tree = new InitramfsTree();
  tree.file("init", await readFile(join(GUEST, "init.sh")), 0o755);
  tree.file("bench/agent.sh", await readFile(join(GUEST, "agent.sh")));
  for (const [name, content] of files) tree.file(`bench/${name}`, content, 0o755);
  await writeFile(path, [await readFile(imageInitrd), tree.toCpio()]);
}

/** The contents of named files of a directory. */
export async function guestFiles(directory: string, names: readonly string[]): Promise<GuestFiles> {
  const files = new Map<string, Uint8Array>();
  for (const name of names) files.set(name, await readFile(join(directory, name)));
  return files;
}
