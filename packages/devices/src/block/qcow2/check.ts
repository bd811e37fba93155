/**
 * Compares the refcounts of an image with what its tables refer to. What is counted but not used is lost space, as after
 * a crash; what is used but not counted would be overwritten. Memory and time are bounded by the file's size.
 * @spec qcow2 "Host cluster management", "Snapshots". Who calls it: `openQcow2` for images that were not closed; tests.
 */
import { DiskError } from "../disk-error.ts";
import { type ImageFile, readWhole } from "../image-file.ts";
import { COPIED, decodeEntry, offsetIn } from "./entry.ts";
import { MOST_L1_BYTES } from "./header.ts";
import type { Qcow2Image } from "./image.ts";

export interface CheckResult {
  /** Clusters counted more often than they are used. */
  readonly leaks: number;
  /** Clusters counted less often than they are used, and wrong flags. */
  readonly errors: number;
}

/** Beyond this many clusters the counts would not fit into memory: 16 TiB with the usual clusters. */
const MOST_CLUSTERS = 2 ** 28;
const SNAPSHOT_BYTES = 40;

/** Checks an image whose structures are written back. @param repair sets everything right; needs a writable image. */
export function checkQcow2(image: Qcow2Image, repair: boolean): CheckResult {
  return new Checker(image).run(repair);
}

class Checker {
  readonly #image: Qcow2Image;
  readonly #file: ImageFile;
  readonly #clusterBytes: number;
  readonly #counts: Uint32Array;

  constructor(image: Qcow2Image) {
    this.#image = image;
    this.#file = image.file;
    this.#clusterBytes = image.clusterBytes;
    const clusters = Math.ceil(this.#file.size / this.#clusterBytes);
    if (clusters > MOST_CLUSTERS) {
      const advice = "repair it with qemu-img check -r all";
      throw new DiskError("disk-corrupt", `disk ${this.#file.name} is too large to be checked here; ${advice}`);
    }
    this.#counts = new Uint32Array(clusters);
  }

  run(repair: boolean): CheckResult {
    this.#countAll();
    const result = { leaks: 0, errors: 0 };
    if (repair) this.#image.refcounts.repairBehind(this.#counts.length);
    for (const [cluster, expected] of this.#counts.entries()) this.#compare(cluster, expected, result, repair);
    for (const cluster of this.#countedBehindEnd()) this.#compare(cluster, 0, result, repair);
    this.#image.refcounts.repairBehind(undefined);
    this.#checkFlags(result, repair);
    return result;
  }

  /** Clusters behind the end of the file that have a refcount: a crash came before anything was written there. */
  *#countedBehindEnd(): Generator<number> {
    const { perBlock, blockOffsets } = this.#image.refcounts;
    for (let index = Math.floor(this.#counts.length / perBlock); index < blockOffsets.length; index++) {
      if (blockOffsets[index] === 0) continue;
      const start = Math.max(this.#counts.length, index * perBlock);
      // Blocks that the repair itself has put there are no loss.
      for (let at = start; at < (index + 1) * perBlock; at++) if (!this.#image.refcounts.isMetadata(at)) yield at;
    }
  }

  #countAll(): void {
    const { refcounts, map, header } = this.#image;
    this.#count(0, this.#clusterBytes);
    this.#count(refcounts.tableOffset, refcounts.blockOffsets.length * 8);
    for (const offset of refcounts.blockOffsets) if (offset !== 0) this.#count(offset, this.#clusterBytes);
    this.#count(map.l1Offset, map.l1Size * 8);
    const tables = new Map<number, number>();
    for (let i = 0; i < map.l1Size; i++) addTable(tables, map.tableOffset(i));
    if (header.snapshots > 0) this.#countSnapshots(tables);
    for (const [offset, times] of tables) this.#countTable(offset, times);
  }

  /** Counts the table of snapshots and their level 1 tables, and collects their level 2 tables. */
  #countSnapshots(tables: Map<number, number>): void {
    const { header } = this.#image;
    let at = header.snapshotsOffset;
    for (let i = 0; i < header.snapshots; i++) {
      const view = new DataView(readWhole(this.#file, at, SNAPSHOT_BYTES).buffer);
      const l1Bytes = view.getUint32(8) * 8;
      const l1Offset = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
      if (l1Bytes > MOST_L1_BYTES) throw this.#corrupt(`a snapshot's level 1 table has ${l1Bytes} bytes`);
      const l1 = new DataView(readWhole(this.#file, l1Offset, l1Bytes).buffer);
      for (let e = 0; e < l1Bytes; e += 8) addTable(tables, offsetIn(l1.getUint32(e), l1.getUint32(e + 4)));
      this.#count(l1Offset, l1Bytes);
      const names = view.getUint16(12) + view.getUint16(14) + view.getUint32(36);
      at += Math.ceil((SNAPSHOT_BYTES + names) / 8) * 8;
    }
    this.#count(header.snapshotsOffset, at - header.snapshotsOffset);
  }

  /** Counts a level 2 table that is referred to so many times, and what it refers to. */
  #countTable(offset: number, times: number): void {
    this.#count(offset, this.#clusterBytes, times);
    const table = new DataView(readWhole(this.#file, offset, this.#clusterBytes).buffer);
    const { clusterBits, version } = this.#image.header;
    for (let at = 0; at < this.#clusterBytes; at += 8) {
      const { kind, host, length } = decodeEntry(
        table.getUint32(at),
        table.getUint32(at + 4),
        clusterBits,
        version === 3,
      );
      if (kind === "compressed") this.#count(host, length, times);
      else if (host !== 0) this.#count(host, this.#clusterBytes, times);
    }
  }

  #count(offset: number, bytes: number, times = 1): void {
    const first = Math.floor(offset / this.#clusterBytes);
    const last = Math.floor((offset + Math.max(bytes, 1) - 1) / this.#clusterBytes);
    if (last >= this.#counts.length) throw this.#corrupt(`something is at ${offset}, behind the end of the file`);
    for (let cluster = first; cluster <= last; cluster++) this.#counts[cluster] += times;
  }

  #compare(cluster: number, expected: number, result: { leaks: number; errors: number }, repair: boolean): void {
    const { refcounts } = this.#image;
    const found = refcounts.get(cluster);
    if (found === expected) return;
    if (found > expected) result.leaks++;
    else result.errors++;
    if (repair) refcounts.set(cluster, expected);
  }

  /** The flag that a cluster has one owner must be true, or a snapshot's data would be written to. */
  #checkFlags(result: { errors: number }, repair: boolean): void {
    const { map } = this.#image;
    for (let index = 0; index < map.l1Size; index++) {
      const offset = map.tableOffset(index);
      if (offset === 0) continue;
      const own = this.#counts[offset / this.#clusterBytes] === 1;
      if (own !== map.isTableCopied(index)) {
        result.errors++;
        if (repair) map.setTableCopied(index, own);
      }
      this.#checkTableFlags(index, result, repair);
    }
  }

  #checkTableFlags(index: number, result: { errors: number }, repair: boolean): void {
    const { map, header } = this.#image;
    const table = new DataView(readWhole(this.#file, map.tableOffset(index), this.#clusterBytes).buffer);
    for (let i = 0; i < map.perTable; i++) {
      const hi = table.getUint32(i * 8);
      const entry = decodeEntry(hi, table.getUint32(i * 8 + 4), header.clusterBits, header.version === 3);
      if (entry.kind === "compressed" || entry.host === 0) continue;
      const own = this.#counts[Math.floor(entry.host / this.#clusterBytes)] === 1;
      if (own === ((hi & COPIED) !== 0)) continue;
      result.errors++;
      if (repair) map.setCopied(index * map.perTable + i, own);
    }
  }

  #corrupt(why: string): DiskError {
    const advice = "repair it with qemu-img check -r all";
    return new DiskError("disk-corrupt", `disk ${this.#file.name}: the qcow2 image is corrupt: ${why}; ${advice}`);
  }
}

function addTable(tables: Map<number, number>, offset: number): void {
  if (offset !== 0) tables.set(offset, (tables.get(offset) ?? 0) + 1);
}
