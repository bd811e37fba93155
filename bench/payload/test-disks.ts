/** The disks that are measured, as templates to copy: full of bytes that no file system leaves out, raw and as qcow2. */
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import { createQcow2 } from "../../packages/devices/src/block/qcow2/create.ts";
import { type DiskFormat, openDisk, openHostFile } from "../../packages/devices/src/index-node.ts";

const MIB = 1 << 20;
/** Small enough for the host's page cache many times over. */
const DISK_MIB = 256;

/** Writes both templates. */
export function writeTestDisks(directory: string): Readonly<Record<DiskFormat, string>> {
  const paths = { raw: join(directory, "template.raw"), qcow2: join(directory, "template.qcow2") };
  for (const path of Object.values(paths)) closeSync(openSync(path, "w"));
  const raw = openSync(paths.raw, "r+");
  ftruncateSync(raw, DISK_MIB * MIB);
  closeSync(raw);
  const file = openHostFile(paths.qcow2, false);
  createQcow2(file, { size: DISK_MIB * MIB });
  file.close();
  for (const [format, path] of Object.entries(paths)) fill(path, format as DiskFormat);
  return paths;
}

function fill(path: string, format: DiskFormat): void {
  const disk = openDisk(path, { format });
  const bytes = new Uint8Array(MIB);
  for (let at = 0; at < DISK_MIB; at++) disk.write(at * MIB, bytes.fill(at + 1));
  disk.close();
}
