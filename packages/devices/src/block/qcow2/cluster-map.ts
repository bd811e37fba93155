/**
 * Where the guest's clusters are in an image's file: the active level 1 table, and level 2 tables through a cache.
 * Nothing is written here but by `writeBack`. @spec qcow2 "Cluster mapping". Who calls it: `Qcow2Image`, checks.
 */
import { DiskError } from "../disk-error.ts";
import { type ImageFile, readWhole } from "../image-file.ts";
import { COPIED, decodeEntry, high, low, type Mapping, offsetIn, ZERO } from "./entry.ts";
import { HeaderField, type Qcow2Header } from "./header.ts";
import type { Refcounts } from "./refcounts.ts";
import { TableCache } from "./table-cache.ts";

/** Bytes of level 2 tables kept in memory: with clusters of 64 KiB they map 64 GiB. */
const CACHE_BYTES = 8 * 1024 * 1024;
const LEAST_CACHED = 4;

const NOTHING: Mapping = { kind: "none", host: 0, length: 0, copied: false };

export class ClusterMap {
  readonly #file: ImageFile;
  readonly #refcounts: Refcounts;
  readonly #clusterBits: number;
  readonly #clusterBytes: number;
  readonly #perTable: number;
  readonly #zeroFlag: boolean;
  readonly #tables: TableCache;
  #l1: DataView<ArrayBuffer>;
  #l1Offset: number;
  readonly #dirtyL1 = new Set<number>();

  /** @param clean writes everything back in the right order. Errors: `disk-corrupt`, `disk-truncated`. */
  constructor(file: ImageFile, header: Qcow2Header, refcounts: Refcounts, clean: () => void) {
    this.#file = file;
    this.#refcounts = refcounts;
    this.#clusterBits = header.clusterBits;
    this.#clusterBytes = 2 ** header.clusterBits;
    this.#perTable = this.#clusterBytes / 8;
    this.#zeroFlag = header.version === 3;
    const most = Math.max(LEAST_CACHED, CACHE_BYTES / this.#clusterBytes);
    this.#tables = new TableCache(file, this.#clusterBytes, most, clean);
    this.#l1Offset = header.l1Offset;
    this.#l1 = new DataView(readWhole(file, header.l1Offset, header.l1Size * 8).buffer);
    refcounts.claimMetadata(header.l1Offset, Math.ceil(this.#l1.byteLength / this.#clusterBytes) * this.#clusterBytes);
    for (let index = 0; index < header.l1Size; index++) this.#checkTable(index);
  }

  /** Clusters that a level 2 table maps. */
  get perTable(): number {
    return this.#perTable;
  }

  get l1Size(): number {
    return this.#l1.byteLength / 8;
  }

  get dirty(): boolean {
    return this.#tables.dirty || this.#dirtyL1.size > 0;
  }

  /** Offset of a level 2 table, 0 where there is none. */
  tableOffset(index: number): number {
    return offsetIn(this.#l1.getUint32(index * 8), this.#l1.getUint32(index * 8 + 4));
  }

  /** Errors: `disk-corrupt`, and those of the file. */
  get(cluster: number): Mapping {
    const offset = this.tableOffset(Math.floor(cluster / this.#perTable));
    if (offset === 0) return NOTHING;
    const { view } = this.#tables.get(offset);
    const at = (cluster % this.#perTable) * 8;
    const mapping = decodeEntry(view.getUint32(at), view.getUint32(at + 4), this.#clusterBits, this.#zeroFlag);
    if (mapping.host % this.#clusterBytes !== 0 && mapping.kind !== "compressed") {
      throw this.#corrupt(`a cluster is at ${mapping.host}`);
    }
    return mapping;
  }

  /** Makes sure that the table for a cluster exists and belongs to nothing else, so that `set` cannot run out of space. */
  own(cluster: number): void {
    const index = Math.floor(cluster / this.#perTable);
    const before = this.tableOffset(index);
    if (before !== 0 && (this.#l1.getUint32(index * 8) & COPIED) !== 0) return;
    const run = this.#refcounts.allocate(1);
    const offset = run.cluster * this.#clusterBytes;
    // The copy outlives the table it is of, which the cache may drop.
    this.#tables.create(offset, before === 0 ? undefined : new Uint8Array(this.#tables.get(before).view.buffer));
    this.#refcounts.claimMetadata(offset, this.#clusterBytes);
    this.#setL1(index, offset);
    if (before === 0) return;
    this.#refcounts.releaseMetadata(before, this.#clusterBytes);
    this.#refcounts.giveUp(before / this.#clusterBytes);
  }

  /** Changes an entry of a table that is owned. @param host offset of a cluster with no other owner, or 0. */
  set(cluster: number, host: number, zero = false): void {
    const table = this.#tables.get(this.tableOffset(Math.floor(cluster / this.#perTable)));
    const at = (cluster % this.#perTable) * 8;
    table.view.setUint32(at, high(host) + (host === 0 ? 0 : COPIED));
    table.view.setUint32(at + 4, (low(host) | (zero ? ZERO : 0)) >>> 0);
    this.#tables.touch(table, at, 8);
  }

  /** Sets or clears the flag that says a cluster has one owner; for repairs. */
  setCopied(cluster: number, copied: boolean): void {
    const table = this.#tables.get(this.tableOffset(Math.floor(cluster / this.#perTable)));
    const at = (cluster % this.#perTable) * 8;
    const others = table.view.getUint32(at) & ~COPIED;
    table.view.setUint32(at, (others | (copied ? COPIED : 0)) >>> 0);
    this.#tables.touch(table, at, 8);
  }

  /** The same for a level 2 table. */
  setTableCopied(index: number, copied: boolean): void {
    const others = this.#l1.getUint32(index * 8) & ~COPIED;
    this.#l1.setUint32(index * 8, (others | (copied ? COPIED : 0)) >>> 0);
    this.#dirtyL1.add(index);
  }

  isTableCopied(index: number): boolean {
    return (this.#l1.getUint32(index * 8) & COPIED) !== 0;
  }

  /** Writes changes: tables first, and what points to them when they are stable. Refcounts have to be so before. */
  writeBack(): void {
    this.#tables.writeBack();
    if (this.#dirtyL1.size === 0) return;
    this.#file.flush();
    for (const index of this.#dirtyL1) {
      this.#file.write(this.#l1Offset + index * 8, new Uint8Array(this.#l1.buffer, index * 8, 8));
    }
    this.#dirtyL1.clear();
  }

  /** Moves the level 1 table to where it can have more entries. Everything has to be written back. */
  grow(entries: number): void {
    const clusters = Math.ceil((entries * 8) / this.#clusterBytes);
    const offset = this.#refcounts.allocateTogether(clusters) * this.#clusterBytes;
    const bytes = new Uint8Array(clusters * this.#clusterBytes);
    bytes.set(new Uint8Array(this.#l1.buffer));
    this.#file.write(offset, bytes);
    this.#refcounts.writeBack();
    this.#file.flush();
    this.#file.write(HeaderField.l1Size, l1Field(entries, offset));
    this.#file.flush();
    const oldClusters = Math.ceil(this.#l1.byteLength / this.#clusterBytes);
    this.#refcounts.releaseMetadata(this.#l1Offset, oldClusters * this.#clusterBytes);
    for (let i = 0; i < oldClusters; i++) this.#refcounts.giveUp(this.#l1Offset / this.#clusterBytes + i);
    this.#refcounts.claimMetadata(offset, clusters * this.#clusterBytes);
    this.#l1 = new DataView(bytes.buffer, 0, entries * 8);
    this.#l1Offset = offset;
  }

  get l1Offset(): number {
    return this.#l1Offset;
  }

  #setL1(index: number, offset: number): void {
    this.#l1.setUint32(index * 8, high(offset) + COPIED);
    this.#l1.setUint32(index * 8 + 4, low(offset));
    this.#dirtyL1.add(index);
  }

  /** A level 2 table lies in the file and is no other structure: else writing to it would destroy that. */
  #checkTable(index: number): void {
    const offset = this.tableOffset(index);
    if (offset === 0) return;
    if (offset % this.#clusterBytes !== 0) throw this.#corrupt(`a level 2 table is at ${offset}`);
    if (offset + this.#clusterBytes > this.#file.size) {
      throw new DiskError("disk-truncated", `disk ${this.#file.name} is truncated: a level 2 table is missing`);
    }
    this.#refcounts.claimMetadata(offset, this.#clusterBytes);
  }

  #corrupt(why: string): DiskError {
    return new DiskError("disk-corrupt", `disk ${this.#file.name}: the qcow2 image is corrupt: ${why}`);
  }
}

function l1Field(entries: number, offset: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint32(0, entries);
  view.setUint32(4, high(offset));
  view.setUint32(8, low(offset));
  return new Uint8Array(view.buffer);
}
