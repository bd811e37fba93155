/**
 * Which clusters of an image's file are in use, and how often: refcount table, refcount blocks, and the allocator on top.
 * A cluster that is given up stays taken until `settle`, when nothing stable refers to it any more.
 * @spec qcow2 "Host cluster management"
 */
import { DiskError } from "../disk-error.ts";
import { type ImageFile, readWhole } from "../image-file.ts";
import { high, low, offsetIn } from "./entry.ts";
import { HeaderField, MOST_REFCOUNT_TABLE_BYTES, type Qcow2Header } from "./header.ts";
import { mostRefcount, refcountAt, refcountBytes, setRefcount } from "./refcount-bits.ts";
import { TableCache } from "./table-cache.ts";

/** Clusters that follow one another. */
export interface Run {
  readonly cluster: number;
  readonly count: number;
}

/** Bytes of refcount blocks kept in memory: with the usual sizes they are those of 64 GiB. */
const CACHE_BYTES = 2 * 1024 * 1024;
const LEAST_CACHED = 4;
/** Free clusters that are remembered; those beyond are found by searching again. */
const MOST_REMEMBERED = 65536;

export class Refcounts {
  readonly #file: ImageFile;
  readonly #order: number;
  readonly #clusterBytes: number;
  /** Refcounts in a block. */
  readonly perBlock: number;
  readonly #blocks: TableCache;
  /** Offsets of the refcount blocks, 0 where there is none. */
  #table: Float64Array;
  #tableOffset: number;
  readonly #dirtyEntries = new Set<number>();
  /** Clusters that hold the image's own structures: a guest's data must never get there. */
  readonly #metadata = new Set<number>();
  /** Clusters below have been looked at. */
  #cursor = 0;
  #free: number[] = [];
  #forgotten = false;
  #repairPlace: number | undefined;
  #given: number[] = [];

  /** @param clean writes everything back in the right order. Errors: `disk-corrupt`. */
  constructor(file: ImageFile, header: Qcow2Header, clean: () => void) {
    this.#file = file;
    this.#order = header.refcountOrder;
    this.#clusterBytes = 2 ** header.clusterBits;
    this.perBlock = (this.#clusterBytes * 8) / 2 ** this.#order;
    const most = Math.max(LEAST_CACHED, CACHE_BYTES / this.#clusterBytes);
    this.#blocks = new TableCache(file, this.#clusterBytes, most, clean);
    this.#tableOffset = header.refcountTableOffset;
    this.#table = this.#readTable(header);
    this.claimMetadata(0, this.#clusterBytes);
    this.claimMetadata(this.#tableOffset, this.#table.length * 8);
    for (const offset of this.#table) if (offset !== 0) this.claimMetadata(offset, this.#clusterBytes);
  }

  /** Offsets of the refcount blocks in their order, 0 where there is none. For checks. */
  get blockOffsets(): Float64Array {
    return this.#table;
  }

  isMetadata(cluster: number): boolean {
    return this.#metadata.has(cluster);
  }

  get tableOffset(): number {
    return this.#tableOffset;
  }

  /** Notes that bytes of the file are a structure of the image. Errors: `disk-corrupt` if they are another one too. */
  claimMetadata(offset: number, bytes: number): void {
    const first = offset / this.#clusterBytes;
    for (let cluster = first; cluster < first + bytes / this.#clusterBytes; cluster++) {
      if (this.#metadata.has(cluster)) throw this.#corrupt(`its structures overlap at ${cluster * this.#clusterBytes}`);
      this.#metadata.add(cluster);
    }
  }

  /** Bytes of the file are no structure any more. */
  releaseMetadata(offset: number, bytes: number): void {
    const first = offset / this.#clusterBytes;
    for (let cluster = first; cluster < first + bytes / this.#clusterBytes; cluster++) this.#metadata.delete(cluster);
  }

  /** Refuses to write a guest's data over the image's own structures. Errors: `disk-corrupt`. */
  checkData(offset: number): void {
    if (!this.#metadata.has(Math.floor(offset / this.#clusterBytes))) return;
    throw this.#corrupt(`data is where its structures are, at ${offset}`);
  }

  get(cluster: number): number {
    const offset = this.#table[Math.floor(cluster / this.perBlock)];
    if (offset === undefined || offset === 0) return 0;
    return refcountAt(this.#blocks.get(offset).view, cluster % this.perBlock, this.#order);
  }

  /** Sets a refcount whatever it was; for repairs. */
  set(cluster: number, value: number): void {
    if (value > mostRefcount(this.#order)) throw this.#corrupt(`cluster ${cluster} is used ${value} times`);
    const index = Math.floor(cluster / this.perBlock);
    this.#cover(cluster);
    this.#put(this.#table[index], cluster, value);
  }

  /** Takes up to `count` free clusters that follow one another, at least one. Errors: those of the file. */
  allocate(count: number): Run {
    const cluster = this.#takeFree();
    let taken = 1;
    while (taken < count && this.#takeNext(cluster + taken)) taken++;
    return { cluster, count: taken };
  }

  /** Takes exactly `count` clusters that follow one another. @returns the first. */
  allocateTogether(count: number): number {
    for (let start = this.#cursor; ; ) {
      let length = 0;
      while (length < count && this.#isFree(start + length)) length++;
      if (length < count) {
        start += length + 1;
        continue;
      }
      for (let i = 0; i < count; i++) this.#claim(start + i);
      return start;
    }
  }

  /** While a repair goes on, blocks that are missing are put behind a cluster: nothing before it is known to be free. */
  repairBehind(cluster: number | undefined): void {
    this.#repairPlace = cluster;
  }

  /** Gives clusters back that nothing has referred to yet. */
  unallocate({ cluster, count }: Run): void {
    for (let i = count - 1; i >= 0; i--) this.#drop(cluster + i);
  }

  /** Gives a cluster up to which the file may still refer: it stays taken until `settle`. */
  giveUp(cluster: number): void {
    this.#given.push(cluster);
  }

  /** Writes refcounts back. Stable they are, and their table too, when this returns true or the file is flushed. */
  writeBack(): void {
    this.#blocks.writeBack();
    if (this.#dirtyEntries.size === 0) return;
    // A block must be there before the table says so.
    this.#file.flush();
    for (const index of this.#dirtyEntries) this.#writeEntry(index);
    this.#dirtyEntries.clear();
  }

  get dirty(): boolean {
    return this.#dirtyEntries.size > 0 || this.#blocks.dirty;
  }

  /** Frees what was given up. Only when what referred to it is stable no more. @returns whether there was something. */
  settle(): boolean {
    const given = this.#given;
    this.#given = [];
    for (const cluster of given.sort((a, b) => b - a)) this.#drop(cluster);
    return given.length > 0;
  }

  #takeFree(): number {
    for (let cluster = this.#free.pop(); cluster !== undefined; cluster = this.#free.pop()) {
      if (this.get(cluster) === 0) return this.#claim(cluster);
    }
    if (this.#forgotten) {
      this.#forgotten = false;
      this.#cursor = 0;
    }
    while (!this.#isFree(this.#cursor)) this.#cursor++;
    return this.#claim(this.#cursor);
  }

  #takeNext(cluster: number): boolean {
    if (this.#free.at(-1) === cluster) this.#free.pop();
    else if (cluster !== this.#cursor) return false;
    if (!this.#isCovered(cluster) || this.get(cluster) !== 0) return false;
    this.#claim(cluster);
    return true;
  }

  #claim(cluster: number): number {
    if (this.#metadata.has(cluster)) throw this.#corrupt(`cluster ${cluster} is in use, but counted as free`);
    this.#put(this.#table[Math.floor(cluster / this.perBlock)], cluster, 1);
    if (cluster === this.#cursor) this.#cursor++;
    return cluster;
  }

  #drop(cluster: number): void {
    const before = this.get(cluster);
    if (before === 0) throw this.#corrupt(`cluster ${cluster} is in use, but counted as free`);
    this.#put(this.#table[Math.floor(cluster / this.perBlock)], cluster, before - 1);
    if (before > 1) return;
    if (this.#free.length < MOST_REMEMBERED) this.#free.push(cluster);
    else this.#forgotten = true;
  }

  #put(block: number, cluster: number, value: number): void {
    const table = this.#blocks.get(block);
    const index = cluster % this.perBlock;
    setRefcount(table.view, index, this.#order, value);
    const { at, length } = refcountBytes(index, this.#order);
    this.#blocks.touch(table, at, length);
  }

  #isCovered(cluster: number): boolean {
    return (this.#table[Math.floor(cluster / this.perBlock)] ?? 0) !== 0;
  }

  #isFree(cluster: number): boolean {
    this.#cover(cluster);
    return this.get(cluster) === 0;
  }

  /** Makes sure that a cluster has a refcount. A block that is missing takes the first cluster of its own range. */
  #cover(cluster: number): void {
    if (this.#isCovered(cluster)) return;
    const index = Math.floor(cluster / this.perBlock);
    if (index >= this.#table.length) {
      this.#growTable(cluster);
      // A repair puts the table elsewhere; then the cluster still has no refcount.
      if (this.#isCovered(cluster)) return;
    }
    const place = this.#repairPlace === undefined ? index * this.perBlock : this.#repairPlace++;
    const offset = place * this.#clusterBytes;
    this.claimMetadata(offset, this.#clusterBytes);
    this.#blocks.create(offset);
    this.#table[index] = offset;
    this.#dirtyEntries.add(index);
    this.#cover(place);
    this.#put(this.#table[Math.floor(place / this.perBlock)], place, 1);
  }

  /** Moves the table to where it has room: behind all that it could count so far, with the blocks for that place. */
  #growTable(cluster: number): void {
    const first = Math.max(this.#repairPlace ?? cluster, this.#table.length * this.perBlock);
    const entries = Math.max(this.#table.length, Math.floor(cluster / this.perBlock));
    const { blocks, tableClusters } = placeRefcounts(first, this.perBlock, this.#clusterBytes, entries);
    const bytes = tableClusters * this.#clusterBytes;
    if (bytes > MOST_REFCOUNT_TABLE_BYTES) throw this.#corrupt("it cannot count more clusters");
    const table = new Float64Array(bytes / 8);
    table.set(this.#table);
    const firstIndex = Math.floor(first / this.perBlock);
    for (let i = 0; i < blocks; i++) table[firstIndex + i] = (first + i) * this.#clusterBytes;
    const old = { offset: this.#tableOffset, bytes: this.#table.length * 8 };
    const tableOffset = (first + blocks) * this.#clusterBytes;
    for (let i = 0; i < blocks; i++) this.#blocks.create(table[firstIndex + i]);
    for (let i = 0; i < blocks + tableClusters; i++) {
      const at = first + i;
      this.#put(table[Math.floor(at / this.perBlock)], at, 1);
    }
    this.#blocks.writeBack();
    this.#file.write(tableOffset, encodeOffsets(table));
    this.#file.flush();
    this.#file.write(HeaderField.refcountTable, refcountTableField(tableOffset, tableClusters));
    this.#file.flush();
    this.#table = table;
    this.#tableOffset = tableOffset;
    this.#dirtyEntries.clear();
    if (this.#repairPlace !== undefined) this.#repairPlace = first + blocks + tableClusters;
    this.claimMetadata(first * this.#clusterBytes, (blocks + tableClusters) * this.#clusterBytes);
    this.releaseMetadata(old.offset, old.bytes);
    for (let at = 0; at < old.bytes; at += this.#clusterBytes) this.giveUp((old.offset + at) / this.#clusterBytes);
  }

  #writeEntry(index: number): void {
    this.#file.write(this.#tableOffset + index * 8, encodeOffsets(this.#table.subarray(index, index + 1)));
  }

  #readTable({ refcountTableOffset, refcountTableClusters }: Qcow2Header): Float64Array {
    const bytes = new Uint8Array(refcountTableClusters * this.#clusterBytes);
    bytes.set(
      readWhole(this.#file, refcountTableOffset, Math.min(bytes.length, this.#file.size - refcountTableOffset)),
    );
    const view = new DataView(bytes.buffer);
    const table = new Float64Array(bytes.length / 8);
    for (let i = 0; i < table.length; i++) {
      const offset = offsetIn(view.getUint32(i * 8), view.getUint32(i * 8 + 4));
      if (offset % this.#clusterBytes !== 0 || offset >= this.#file.size) {
        throw this.#corrupt(`a refcount block is at ${offset}`);
      }
      table[i] = offset;
    }
    return table;
  }

  #corrupt(why: string): DiskError {
    return new DiskError("disk-corrupt", `disk ${this.#file.name}: the qcow2 image is corrupt: ${why}`);
  }
}

/**
 * How many refcount blocks and clusters of table are needed where the table and those blocks begin at cluster `first`,
 * and how many entries the table has. @param entries the table has to have more of them than this.
 */
export function placeRefcounts(
  first: number,
  perBlock: number,
  clusterBytes: number,
  entries: number,
): { blocks: number; tableClusters: number } {
  let blocks = 1;
  let tableClusters = 1;
  for (;;) {
    const last = first + blocks + tableClusters - 1;
    const neededBlocks = Math.floor(last / perBlock) - Math.floor(first / perBlock) + 1;
    const wanted = Math.max(Math.ceil(entries * 1.5), Math.floor(last / perBlock) + 1);
    const neededClusters = Math.ceil((wanted * 8) / clusterBytes);
    if (neededBlocks <= blocks && neededClusters <= tableClusters) return { blocks, tableClusters };
    blocks = Math.max(blocks, neededBlocks);
    tableClusters = Math.max(tableClusters, neededClusters);
  }
}

/** Offsets as a table holds them. */
export function encodeOffsets(offsets: Float64Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(offsets.length * 8));
  for (const [i, offset] of offsets.entries()) {
    view.setUint32(i * 8, high(offset));
    view.setUint32(i * 8 + 4, low(offset));
  }
  return new Uint8Array(view.buffer);
}

function refcountTableField(offset: number, clusters: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint32(0, high(offset));
  view.setUint32(4, low(offset));
  view.setUint32(8, clusters);
  return new Uint8Array(view.buffer);
}
