/** Makes the raw image of a bootable disk, without root: a partition table and one ext4 file system. */
import { execFile } from "node:child_process";
import { open } from "node:fs/promises";
import { promisify } from "node:util";

const MIB = 1024 * 1024;
const SECTOR_BYTES = 512;
const START_BYTES = MIB;
const BOOTABLE = 0x80;
const LINUX = 0x83;
/** Debian keeps mke2fs where only root's PATH looks. */
const PATH = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;

/** @param folder what the file system is to hold. @param sizeMiB size of its partition. Needs mke2fs. */
export async function makeDisk(path: string, folder: string, sizeMiB: number): Promise<void> {
  const file = await open(path, "wx");
  await file.truncate(START_BYTES + sizeMiB * MIB);
  await file.write(masterBootRecord(START_BYTES / SECTOR_BYTES, (sizeMiB * MIB) / SECTOR_BYTES), 0, SECTOR_BYTES, 0);
  await file.close();
  const options = ["-q", "-F", "-t", "ext4", "-d", folder, "-E", `offset=${START_BYTES}`, path, `${sizeMiB}m`];
  await promisify(execFile)("mke2fs", options, { env: { ...process.env, PATH } });
}

/** One partition. @param start and @param length in sectors. */
function masterBootRecord(start: number, length: number): Uint8Array {
  const sector = new Uint8Array(SECTOR_BYTES);
  const view = new DataView(sector.buffer);
  view.setUint8(446, BOOTABLE);
  view.setUint8(446 + 4, LINUX);
  view.setUint32(446 + 8, start, true);
  view.setUint32(446 + 12, length, true);
  view.setUint16(510, 0xaa55, true);
  return sector;
}
