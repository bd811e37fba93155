/**
 * Writes a snapshot's file: pages as they come, equal ones once, in compressed chunks; then tables and header. The file
 * appears under its name when it is whole and on the disk, and not before. Who calls it: the thread that saves a machine.
 */
import { hash } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { constants, crc32, zstdCompress, zstdCompressSync } from "node:zlib";
import { stateText } from "@bulkhead/devices";
import {
  CHUNK_BYTES,
  CHUNK_PAGES,
  encodeHeader,
  HEADER_BYTES,
  type Header,
  MOST_PAGES,
  PAGE_BYTES,
  refOf,
  type Section,
  type SnapshotMeta,
} from "./format.ts";

const compress = promisify(zstdCompress);
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** Chunks that are being compressed at the same time, by threads of the process. */
const MOST_UNDER_WAY = 8;

/** Marks files that are not whole; what a killed process leaves behind is found by it. */
export const PARTIAL = ".partial-";

export class SnapshotWriter {
  readonly #path: string;
  readonly #partial: string;
  readonly #fd: number;
  readonly #known = new Map<string, number>();
  readonly #chunks: { readonly bytes: number; readonly checksum: number }[] = [];
  readonly #underWay: Promise<Uint8Array>[] = [];
  #staging = new Uint8Array(CHUNK_BYTES);
  #pages = 0;
  #end = HEADER_BYTES;

  /** Errors: those of the file system. */
  constructor(path: string) {
    this.#path = path;
    this.#partial = `${path}${PARTIAL}${process.pid}-${crypto.randomUUID()}`;
    this.#fd = openSync(this.#partial, "wx", 0o600);
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#end;
  }

  /** Takes a page; gives where it is stored. `settle` has to be called now and then. */
  add(page: Uint8Array): number {
    const slot = (this.#pages % CHUNK_PAGES) * PAGE_BYTES;
    const staged = this.#staging.subarray(slot, slot + PAGE_BYTES);
    staged.set(page);
    const key = hash("sha256", staged, "latin1");
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#pages === MOST_PAGES) throw new RangeError("a snapshot has no room for more pages");
    const ref = refOf(0, this.#pages++);
    this.#known.set(key, ref);
    if (slot === CHUNK_BYTES - PAGE_BYTES) this.#submit();
    return ref;
  }

  /** Resolves when more pages may be added. */
  async settle(most = MOST_UNDER_WAY): Promise<void> {
    while (this.#underWay.length > most) this.#write((await this.#underWay.shift())!);
  }

  /** Completes the file: resolves when it is at its place whatever happens to the host. */
  async commit(meta: SnapshotMeta, indices: readonly Uint32Array[]): Promise<void> {
    if (this.#pages % CHUNK_PAGES !== 0) this.#submit();
    await this.settle(0);
    const table = new Uint32Array(this.#chunks.flatMap(({ bytes, checksum }) => [bytes, checksum]));
    const index = new Uint8Array(indices.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const { buffer, byteOffset, byteLength } of indices) {
      index.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      at += byteLength;
    }
    const sections = {
      table: this.#section(new Uint8Array(table.buffer)),
      index: this.#section(index),
      meta: this.#section(new TextEncoder().encode(stateText(meta))),
    };
    const header: Header = { fileBytes: this.#end, sections };
    writeAll(this.#fd, encodeHeader(header, crc32), 0);
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    renameSync(this.#partial, this.#path);
    syncDirectory(dirname(this.#path));
  }

  /** Gives the file up: what was under its name before still is. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    try {
      closeSync(this.#fd);
    } catch {
      // It was closed already.
    }
    rmSync(this.#partial, { force: true });
  }

  #submit(): void {
    const plain = this.#staging;
    this.#staging = new Uint8Array(CHUNK_BYTES);
    const packed = compress(plain, options).then((bytes) => (bytes.length < plain.length ? bytes : plain));
    packed.catch(() => {});
    this.#underWay.push(packed);
  }

  #write(chunk: Uint8Array): void {
    writeAll(this.#fd, chunk, this.#end);
    this.#chunks.push({ bytes: chunk.length, checksum: crc32(chunk) });
    this.#end += chunk.length;
  }

  #section(bytes: Uint8Array<ArrayBuffer>): Section {
    const packed = zstdCompressSync(bytes, options);
    const offset = this.#end;
    writeAll(this.#fd, packed, offset);
    this.#end += packed.length;
    return { offset, bytes: packed.length, unpacked: bytes.length, checksum: crc32(packed) };
  }
}

function writeAll(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

function syncDirectory(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
