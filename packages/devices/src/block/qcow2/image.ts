/**
 * A disk in a qcow2 image, versions 2 and 3. Changes of the image's structures stay in memory until a flush, which writes
 * them in an order in which a crash at any point loses space at most: data and refcounts, then level 2 tables, then the
 * level 1 table, and only then are clusters that became free used again. @spec qcow2. Who calls it: `openQcow2`.
 */
import { type BlockBackend, SECTOR_BYTES } from "../backend.ts";
import { DiskError } from "../disk-error.ts";
import { type ImageFile, readPadded } from "../image-file.ts";
import { bytesOf, readGathered, writeGathered } from "../pieces.ts";
import { ClusterMap } from "./cluster-map.ts";
import { CompressedClusters, type Decompress } from "./compressed.ts";
import { high, low, type Mapping } from "./entry.ts";
import { HeaderField, Incompatible, MOST_L1_BYTES, type Qcow2Header, readHeader } from "./header.ts";
import { Refcounts } from "./refcounts.ts";

/** Most clusters that one write takes at a time. */
const MOST_TAKEN = 256;
const ZEROS = new Uint8Array(64 * 1024);

export interface Qcow2Options {
  /** What clusters that the image does not have read as; zeros without one, and behind its end. */
  readonly backing?: BlockBackend;
  readonly decompress?: Decompress;
}

export class Qcow2Image implements BlockBackend {
  readonly header: Qcow2Header;
  readonly file: ImageFile;
  readonly refcounts: Refcounts;
  readonly map: ClusterMap;
  readonly readOnly: boolean;
  readonly #backing: BlockBackend | undefined;
  readonly #compressed: CompressedClusters;
  readonly #clusterBytes: number;
  #size: number;
  /** The image is marked as being written to, so that whoever opens it after a crash gives lost space back. */
  #marked: boolean;
  #failure: unknown;

  /** Reads and checks the image's structures. Errors: `disk-format`, `disk-truncated`, `disk-corrupt`. */
  constructor(file: ImageFile, options: Qcow2Options = {}) {
    this.file = file;
    this.readOnly = file.readOnly;
    this.header = readHeader(file);
    if (this.header.corrupt && !file.readOnly) {
      const advice = "repair it (qemu-img check -r all) or attach it read-only";
      throw new DiskError("disk-corrupt", `disk ${file.name}: the qcow2 image is marked as corrupt; ${advice}`);
    }
    this.#size = this.header.size;
    this.#marked = this.header.dirty;
    this.#clusterBytes = 2 ** this.header.clusterBits;
    this.#backing = options.backing;
    const clean = (): void => this.#writeBack();
    this.refcounts = new Refcounts(file, this.header, clean);
    this.map = new ClusterMap(file, this.header, this.refcounts, clean);
    this.#compressed = new CompressedClusters(file, this.header, options.decompress ?? cannotDecompress);
    if (!this.readOnly && this.header.autoclear !== 0n) file.write(HeaderField.autoclear, new Uint8Array(8));
  }

  get size(): number {
    return this.#size;
  }

  get clusterBytes(): number {
    return this.#clusterBytes;
  }

  read(offset: number, into: Uint8Array): void {
    for (let at = 0; at < into.length; ) {
      const mapping = this.map.get(this.#clusterOf(offset + at));
      const within = (offset + at) % this.#clusterBytes;
      const length = this.#extent(offset + at, into.length - at, mapping);
      this.#readExtent(offset + at, mapping, within, into.subarray(at, at + length));
      at += length;
    }
  }

  write(offset: number, from: Uint8Array): void {
    this.#expectSound();
    for (let at = 0; at < from.length; ) {
      const mapping = this.map.get(this.#clusterOf(offset + at));
      at +=
        mapping.kind === "data" && mapping.copied
          ? this.#overwrite(offset + at, from.subarray(at), mapping)
          : this.#writeTaking(offset + at, from.subarray(at));
    }
  }

  readPieces(offset: number, pieces: readonly Uint8Array[]): void {
    const place = this.#placeOf(offset, bytesOf(pieces));
    if (place === undefined || this.file.readPieces === undefined) {
      readGathered(this, offset, pieces);
      return;
    }
    // Only the end of a file may be missing, and what is missing reads as zeros.
    for (let left = this.file.readPieces(place.host, pieces), i = 0; i < pieces.length; left -= pieces[i++].length) {
      if (left < pieces[i].length) pieces[i].fill(0, Math.max(0, left));
    }
  }

  writePieces(offset: number, pieces: readonly Uint8Array[]): void {
    this.#expectSound();
    const place = this.#placeOf(offset, bytesOf(pieces));
    if (place?.copied !== true || this.file.writePieces === undefined) {
      writeGathered(this, offset, pieces);
      return;
    }
    this.#checkPlace(place.host, bytesOf(pieces));
    this.file.writePieces(place.host, pieces);
  }

  flush(): void {
    if (this.readOnly) return;
    this.#expectSound();
    this.#writeBack();
    this.file.flush();
    this.#settle();
  }

  /** Frees whole clusters. Where a backing file would show through, they become zeros instead, if the version can. */
  discard(offset: number, length: number): void {
    this.#expectSound();
    const end = this.#lastBoundary(offset + length);
    for (let at = Math.ceil(offset / this.#clusterBytes) * this.#clusterBytes; at < end; at += this.#clusterBytes) {
      const cluster = this.#clusterOf(at);
      const mapping = this.map.get(cluster);
      const shown = this.#backing !== undefined;
      if (mapping.kind === "none" || (shown && this.header.version === 2)) continue;
      if (mapping.kind === "zero" && mapping.host === 0) continue;
      this.#replace(cluster, mapping, 0, shown);
    }
  }

  writeZeroes(offset: number, length: number, unmap: boolean): void {
    this.#expectSound();
    const end = offset + length;
    for (let at = offset; at < end; ) {
      const next = Math.min(end, (this.#clusterOf(at) + 1) * this.#clusterBytes);
      if (!this.#zeroCluster(at, next, unmap)) this.#writeZeros(at, next);
      at = next;
    }
  }

  /** Errors: `disk-format` if it would become smaller or larger than the format allows. */
  resize(bytes: number): void {
    this.#expectSound();
    const entries = Math.ceil(bytes / (this.#clusterBytes * this.map.perTable));
    if (bytes < this.#size || bytes % SECTOR_BYTES !== 0 || entries * 8 > MOST_L1_BYTES || this.header.snapshots > 0) {
      const why = this.header.snapshots > 0 ? "it has snapshots" : `it has ${this.#size} bytes`;
      throw new DiskError("disk-format", `disk ${this.file.name} cannot be resized to ${bytes} bytes: ${why}`);
    }
    this.#mark();
    this.flush();
    if (entries > this.map.l1Size) this.map.grow(entries);
    const field = new DataView(new ArrayBuffer(8));
    field.setUint32(0, high(bytes));
    field.setUint32(4, low(bytes));
    this.file.write(HeaderField.size, new Uint8Array(field.buffer));
    const before = this.#size;
    this.#size = bytes;
    const shown = Math.min(bytes, this.#backing?.size ?? 0);
    if (shown > before) this.writeZeroes(before, shown - before, true);
    this.flush();
  }

  /** Writes everything, marks the image as whole, and closes it and what is behind it. */
  close(): void {
    try {
      if (!this.readOnly && this.#failure === undefined) this.#finish();
    } finally {
      this.file.close();
      this.#backing?.close?.();
    }
  }

  /** Says that the refcounts are as they should be. Everything has to be written back. */
  markWhole(): void {
    this.#writeIncompatible(0);
    this.#marked = false;
  }

  #finish(): void {
    this.flush();
    this.refcounts.writeBack();
    this.file.flush();
    if (this.#marked) this.markWhole();
  }

  /** The order that makes a crash harmless. What a level 2 table points to is stable before the table is. */
  #writeBack(): void {
    if (!this.map.dirty) {
      this.refcounts.writeBack();
      return;
    }
    this.refcounts.writeBack();
    this.file.flush();
    this.map.writeBack();
  }

  /** Clusters that nothing stable refers to any more can be used again. */
  #settle(): void {
    try {
      this.refcounts.settle();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #clusterOf(offset: number): number {
    return Math.floor(offset / this.#clusterBytes);
  }

  /** The last cluster of a disk may be cut off by its end. */
  #lastBoundary(end: number): number {
    return end === this.#size ? end : Math.floor(end / this.#clusterBytes) * this.#clusterBytes;
  }

  /** How many bytes from an offset on can be handled like the first, up to `most`. */
  #extent(offset: number, most: number, first: Mapping): number {
    let length = this.#clusterBytes - (offset % this.#clusterBytes);
    if (first.kind === "compressed") return Math.min(length, most);
    for (let cluster = this.#clusterOf(offset) + 1, n = 1; length < most; cluster++, n++) {
      const { kind, host, copied } = this.map.get(cluster);
      if (kind !== first.kind || copied !== first.copied) break;
      if (kind === "data" && host !== first.host + n * this.#clusterBytes) break;
      length += this.#clusterBytes;
    }
    return Math.min(length, most);
  }

  #readExtent(offset: number, mapping: Mapping, within: number, into: Uint8Array): void {
    switch (mapping.kind) {
      case "data":
        this.#expectInFile(mapping.host, within + into.length);
        readPadded(this.file, mapping.host + within, into);
        return;
      case "compressed":
        into.set(this.#compressed.read(mapping).subarray(within, within + into.length));
        return;
      case "zero":
        into.fill(0);
        return;
      case "none":
        this.#readBacking(offset, into);
    }
  }

  #readBacking(offset: number, into: Uint8Array): void {
    const there = Math.max(0, Math.min(into.length, (this.#backing?.size ?? 0) - offset));
    if (there > 0) this.#backing?.read(offset, into.subarray(0, there));
    into.fill(0, there);
  }

  /** The last of a run of clusters may be shorter in the file, but it begins there. */
  #expectInFile(host: number, length: number): void {
    if (host + Math.floor((length - 1) / this.#clusterBytes) * this.#clusterBytes < this.file.size) return;
    throw new DiskError("disk-truncated", `disk ${this.file.name} is truncated: a cluster at ${host} is missing`);
  }

  #overwrite(offset: number, from: Uint8Array, mapping: Mapping): number {
    const length = this.#extent(offset, from.length, mapping);
    const within = offset % this.#clusterBytes;
    this.#checkPlace(mapping.host + within, length);
    this.file.write(mapping.host + within, from.subarray(0, length));
    return length;
  }

  /** Where bytes are, if they have one place in the file. */
  #placeOf(offset: number, length: number): { readonly host: number; readonly copied: boolean } | undefined {
    const mapping = this.map.get(this.#clusterOf(offset));
    if (mapping.kind !== "data" || this.#extent(offset, length, mapping) < length) return undefined;
    const within = offset % this.#clusterBytes;
    this.#expectInFile(mapping.host, within + length);
    return { host: mapping.host + within, copied: mapping.copied };
  }

  /** Refuses to write over what is no data, or behind the end of a truncated file. */
  #checkPlace(host: number, length: number): void {
    const first = host - (host % this.#clusterBytes);
    this.#expectInFile(first, host + length - first);
    this.#sound(() => {
      for (let at = first; at < host + length; at += this.#clusterBytes) this.refcounts.checkData(at);
    });
  }

  /** Writes to clusters that have no place of their own yet. @returns how many bytes. */
  #writeTaking(offset: number, from: Uint8Array): number {
    this.#mark();
    const cluster = this.#clusterOf(offset);
    this.#sound(() => this.map.own(cluster));
    const kept = this.#keptPlace(cluster);
    const fileEnd = this.file.size;
    const wanted = kept === undefined ? this.#countTaking(cluster, offset + from.length) : 1;
    const run = kept ?? this.#sound(() => this.refcounts.allocate(wanted));
    const host = run.cluster * this.#clusterBytes;
    const within = offset % this.#clusterBytes;
    const length = Math.min(from.length, run.count * this.#clusterBytes - within);
    try {
      this.#fillAround(offset, length, host, run.count, host >= fileEnd);
      this.file.write(host + within, from.subarray(0, length));
    } catch (error) {
      if (kept === undefined) this.refcounts.unallocate(run);
      throw error;
    }
    for (let i = 0; i < run.count; i++) {
      const before = this.map.get(cluster + i);
      if (kept === undefined) this.#replace(cluster + i, before, host + i * this.#clusterBytes, false);
      else this.map.set(cluster, host);
    }
    return length;
  }

  /** Zeros that keep a place of their own can be written there. */
  #keptPlace(cluster: number): { cluster: number; count: number } | undefined {
    const { kind, host, copied } = this.map.get(cluster);
    if (kind !== "zero" || host === 0 || !copied || host >= this.file.size) return undefined;
    this.#sound(() => this.refcounts.checkData(host));
    return { cluster: host / this.#clusterBytes, count: 1 };
  }

  /** How many clusters up to the end of a write need places, in one level 2 table. */
  #countTaking(first: number, end: number): number {
    const tableEnd = (Math.floor(first / this.map.perTable) + 1) * this.map.perTable;
    const last = Math.min(Math.ceil(end / this.#clusterBytes), tableEnd, first + MOST_TAKEN);
    let count = 1;
    while (first + count < last) {
      const { kind, host, copied } = this.map.get(first + count);
      if (copied && (kind === "data" || host !== 0)) break;
      count++;
    }
    return count;
  }

  /** Copies what the clusters of a write have before and behind it. @param fresh the place reads as zeros. */
  #fillAround(offset: number, length: number, host: number, clusters: number, fresh: boolean): void {
    const start = offset - (offset % this.#clusterBytes);
    const end = start + clusters * this.#clusterBytes;
    this.#fillPart(start, offset, host, start, fresh);
    this.#fillPart(offset + length, end, host, start, fresh);
  }

  #fillPart(from: number, to: number, host: number, start: number, fresh: boolean): void {
    if (from >= to) return;
    const old = new Uint8Array(to - from);
    const there = Math.max(0, Math.min(to, this.#size) - from);
    const nothing = fresh && this.#isEmpty(this.#clusterOf(from));
    if (nothing) return;
    this.read(from, old.subarray(0, there));
    this.file.write(host + (from - start), old);
  }

  /** A cluster reads as zeros without a look at anything else. */
  #isEmpty(cluster: number): boolean {
    const { kind } = this.map.get(cluster);
    const behind = cluster * this.#clusterBytes >= (this.#backing?.size ?? 0);
    return kind === "zero" || (kind === "none" && behind);
  }

  /** Lets an entry of an owned table say something else, and gives up what it said before. */
  #replace(cluster: number, before: Mapping, host: number, zero: boolean): void {
    this.#mark();
    this.#sound(() => {
      this.map.own(cluster);
      this.map.set(cluster, host, zero);
      if (before.kind === "none" || before.host === 0) return;
      this.#compressed.forget(before.host);
      const last = before.kind === "compressed" ? before.host + before.length - 1 : before.host;
      for (let at = this.#clusterOf(before.host); at <= this.#clusterOf(last); at++) this.refcounts.giveUp(at);
    });
  }

  /** Makes a part of a cluster zero without writing it, where that can be. */
  #zeroCluster(from: number, to: number, unmap: boolean): boolean {
    const cluster = this.#clusterOf(from);
    if (this.#isEmpty(cluster)) return true;
    const whole = from % this.#clusterBytes === 0 && (to % this.#clusterBytes === 0 || to === this.#size);
    if (!whole) return false;
    const mapping = this.map.get(cluster);
    if (this.header.version === 2) {
      if (this.#backing !== undefined || !unmap) return false;
      this.#replace(cluster, mapping, 0, false);
      return true;
    }
    this.#mark();
    this.#sound(() => this.map.own(cluster));
    if (!unmap && mapping.kind === "data" && mapping.copied) this.map.set(cluster, mapping.host, true);
    else this.#replace(cluster, mapping, 0, true);
    return true;
  }

  #writeZeros(from: number, to: number): void {
    for (let at = from; at < to; at += ZEROS.length) this.write(at, ZEROS.subarray(0, Math.min(ZEROS.length, to - at)));
  }

  /** Before the first change of structures: a mark that lasts until the image is closed. Version 2 has none. */
  #mark(): void {
    if (this.#marked || this.header.version === 2) return;
    this.#writeIncompatible(Incompatible.dirty);
    this.#marked = true;
  }

  #writeIncompatible(dirty: number): void {
    const field = new DataView(new ArrayBuffer(8));
    const compression = this.header.compression === "zstd" ? Incompatible.compression : 0;
    field.setBigUint64(0, BigInt(compression | dirty));
    this.file.write(HeaderField.incompatible, new Uint8Array(field.buffer));
    this.file.flush();
  }

  /** Does what only a corrupt image makes fail for good: then nothing more is written. */
  #sound<T>(change: () => T): T {
    try {
      return change();
    } catch (error) {
      if (error instanceof DiskError && error.code === "disk-corrupt") this.#failure = error;
      throw error;
    }
  }

  #expectSound(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

const cannotDecompress: Decompress = () => {
  throw new RangeError("this host cannot expand compressed clusters");
};
