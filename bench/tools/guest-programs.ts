/** Debian's programs for the guest (fio, iperf3, ping), on a raw disk as a tar archive; nothing of them is built here. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { resolve } from "../../packages/guests/src/archive/resolve.ts";
import { writeTar } from "../../packages/guests/src/formats/tar.ts";
import { unpackedRoot, unpackFiles } from "./archive-files.ts";

const PACKAGES = ["fio", "iperf3", "iputils-ping"];
const PROGRAMS = ["fio", "iperf3", "ping"];
const LIBRARIES = "usr/lib/riscv64-linux-gnu";
const LINKER = "usr/lib/ld-linux-riscv64-lp64d.so.1";
/** Programs and libraries; not what libraries could load beyond that. */
const FILES = /^usr\/(bin\/(fio|iperf3|ping)|lib\/(ld-linux-[^/]*|riscv64-linux-gnu\/(ceph\/)?[^/]*\.so[^/]*))$/;
/** Where the guest unpacks the archive. */
const ROOT = "/tmp/io";
/** Disks have whole sectors, and some emulators want whole pages of them. */
const ALIGNMENT = 4096;

const NAME = "guest-programs";

/** Where the programs are once they have been fetched. */
export const unpackedPrograms = (cache: string): string => unpackedRoot(cache, NAME);

/** Writes the disk. In the guest, `/tmp/io/NAME` starts a program. Errors: `ImageError` of the archive's client. */
export async function writeProgramDisk(path: string, cache: string, onProgress: (text: string) => void): Promise<void> {
  const choose: Parameters<typeof unpackFiles>[0]["choose"] = (index) => resolve(index, PACKAGES);
  const wanted = { name: NAME, cache, architecture: "riscv64", choose, files: FILES, onProgress };
  const root = await unpackFiles(wanted);
  const encoder = new TextEncoder();
  const archive = writeTar([
    ...treeEntries(root, ""),
    ...PROGRAMS.map((name) => ({ name, content: encoder.encode(starter(name)), mode: 0o755 })),
  ]);
  const disk = new Uint8Array(Math.ceil(archive.length / ALIGNMENT) * ALIGNMENT);
  disk.set(archive);
  await writeFile(path, disk);
}

/** A guest without a C library starts programs under the one that came with them. */
function starter(name: string): string {
  const folders = [LIBRARIES, `${LIBRARIES}/ceph`].map((folder) => `${ROOT}/${folder}`).join(":");
  return `#!/bin/sh\nexec ${ROOT}/${LINKER} --library-path ${folders} ${ROOT}/usr/bin/${name} "$@"\n`;
}

type Entry = Parameters<typeof writeTar>[0][number];

function treeEntries(root: string, folder: string): Entry[] {
  return readdirSync(join(root, folder)).flatMap((name): Entry[] => {
    const path = join(folder, name);
    const whole = join(root, path);
    const status = lstatSync(whole);
    if (status.isDirectory()) return [{ name: path, type: "directory", mode: 0o755 }, ...treeEntries(root, path)];
    if (status.isSymbolicLink()) return [{ name: path, type: "link", target: readlinkSync(whole) }];
    return [{ name: path, content: readFileSync(whole), mode: 0o755 }];
  });
}
