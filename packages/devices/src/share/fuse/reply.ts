/** An answer as it is put together: header, structures, names. @spec fuse.h `fuse_out_header`, `fuse_attr`, `fuse_dirent` */
import type { Attributes, Entry, Listed, Statistics } from "../file-system.ts";
import { ATTRIBUTES_BYTES, DIRENT_BYTES, ENTRY_BYTES, OUT_HEADER_BYTES } from "./protocol.ts";

const NS = 1_000_000_000n;
const BLOCK_BYTES = 4096;
const NAME_MAX = 255;

/** For how long a guest may keep what it was told, in milliseconds. */
export interface Validity {
  readonly entryMs: number;
  readonly attributesMs: number;
}

export class FuseReply {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  /** Bytes so far, with the header. */
  length = OUT_HEADER_BYTES;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  start(): void {
    this.length = OUT_HEADER_BYTES;
  }

  /** Fills the header in. @param errno positive, or 0. @param more bytes of data that follow elsewhere. */
  finish(uniqueLow: number, uniqueHigh: number, errno: number, more = 0): Uint8Array {
    if (errno !== 0) this.length = OUT_HEADER_BYTES;
    this.#view.setUint32(0, this.length + more, true);
    this.#view.setInt32(4, -errno, true);
    this.#view.setUint32(8, uniqueLow, true);
    this.#view.setUint32(12, uniqueHigh, true);
    return this.bytes.subarray(0, this.length);
  }

  u32(value: number): void {
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  u64(value: number): void {
    this.#view.setUint32(this.length, value >>> 0, true);
    this.#view.setUint32(this.length + 4, Math.floor(value / 2 ** 32), true);
    this.length += 8;
  }

  big(value: bigint): void {
    this.#view.setBigInt64(this.length, BigInt.asIntN(64, value), true);
    this.length += 8;
  }

  zeros(length: number): void {
    this.bytes.fill(0, this.length, this.length + length);
    this.length += length;
  }

  put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  attributes(found: Attributes): void {
    const end = this.length + ATTRIBUTES_BYTES;
    this.big(found.ino);
    this.big(found.size);
    this.big(found.blocks);
    const times = [found.atimeNs, found.mtimeNs, found.ctimeNs];
    // Seconds round down, also before 1970.
    const seconds = times.map((time) => (time - BigInt.asUintN(64, ((time % NS) + NS) % NS)) / NS);
    for (const second of seconds) this.big(second);
    for (const [i, time] of times.entries()) this.u32(Number(time - seconds[i] * NS));
    for (const value of [found.mode, found.nlink, found.uid, found.gid, found.rdev, BLOCK_BYTES, 0]) this.u32(value);
    this.length = end;
  }

  /** `fuse_attr_out`. */
  attributesOut(found: Attributes, { attributesMs }: Validity): void {
    this.u64(Math.floor(attributesMs / 1000));
    this.u32((attributesMs % 1000) * 1e6);
    this.u32(0);
    this.attributes(found);
  }

  /** `fuse_entry_out`. */
  entry({ node, attributes }: Entry, { entryMs, attributesMs }: Validity): void {
    this.u64(node);
    this.u64(0);
    this.u64(Math.floor(entryMs / 1000));
    this.u64(Math.floor(attributesMs / 1000));
    this.u32((entryMs % 1000) * 1e6);
    this.u32((attributesMs % 1000) * 1e6);
    this.attributes(attributes);
  }

  /** `fuse_entry_out` for a name that does not exist: valid for no time, or for as long as said. */
  noEntry(entryMs: number): void {
    const end = this.length + ENTRY_BYTES;
    this.zeros(ENTRY_BYTES);
    this.#view.setUint32(end - ENTRY_BYTES + 16, Math.floor(entryMs / 1000), true);
    this.length = end;
  }

  /** `fuse_dirent`, padded. @param offset where the next one is. */
  directoryEntry({ name, ino, type }: Listed, offset: number): void {
    this.big(ino);
    this.u64(offset);
    this.u32(name.length);
    this.u32(type);
    for (let i = 0; i < name.length; i++) this.bytes[this.length + i] = name.charCodeAt(i);
    this.length += name.length;
    this.zeros(-name.length & 7);
  }

  /** `fuse_kstatfs`. */
  statistics(found: Statistics): void {
    for (const value of [found.blocks, found.free, found.available, found.files, found.filesFree]) this.big(value);
    for (const value of [found.blockBytes, NAME_MAX, found.blockBytes]) this.u32(value);
    this.zeros(28);
  }
}

/** Bytes that an entry of a directory takes. */
export const directoryEntryBytes = (name: string): number => (DIRENT_BYTES + name.length + 7) & ~7;
