/**
 * The header of a qcow2 image, versions 2 and 3, read and checked: whatever passes can be used without surprises, and
 * what this implementation cannot do is refused here by name. @spec qcow2 "Header", "Header extensions"
 */
import { SECTOR_BYTES } from "../backend.ts";
import { DiskError } from "../disk-error.ts";
import type { ImageFile } from "../image-file.ts";

export const QCOW2_MAGIC = 0x5146_49fb;
const V2_HEADER_BYTES = 72;
const V3_HEADER_BYTES = 104;

/** Where fields are that change while an image is used. */
export const HeaderField = { size: 24, l1Size: 36, refcountTable: 48, incompatible: 72, autoclear: 88 } as const;

/** @spec qcow2 "Header": incompatible_features */
export const Incompatible = { dirty: 1, corrupt: 2, externalData: 4, compression: 8, extendedL2: 16 } as const;
/** Bit 0 of the autoclear features: the image has persistent bitmaps that are up to date. */
const AUTOCLEAR_BITMAPS = 1n;

const Extension = { end: 0, backingFormat: 0xe279_2aca, featureNames: 0x6803_f857, bitmaps: 0x2385_2875 } as const;

/** Bounds of what an image may make us hold in memory; QEMU has the same. */
export const MOST_L1_BYTES = 32 * 1024 * 1024;
export const MOST_REFCOUNT_TABLE_BYTES = 8 * 1024 * 1024;
const MOST_SNAPSHOTS = 65536;
const MOST_BACKING_NAME = 1023;

export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  /** Bytes of the disk. */
  readonly size: number;
  readonly l1Size: number;
  readonly l1Offset: number;
  readonly refcountTableOffset: number;
  readonly refcountTableClusters: number;
  /** Width of a refcount is 2 to this power, in bits. */
  readonly refcountOrder: number;
  readonly snapshots: number;
  readonly snapshotsOffset: number;
  readonly dirty: boolean;
  readonly corrupt: boolean;
  readonly autoclear: bigint;
  readonly compression: "deflate" | "zstd";
  /** As the image spells it: relative to the image's folder. */
  readonly backingFile?: string;
  readonly backingFormat?: string;
}

/** Reads and checks a header. Errors: `disk-format`, `disk-truncated`, `disk-corrupt`. */
export function readHeader(file: ImageFile): Qcow2Header {
  const start = new Uint8Array(V3_HEADER_BYTES + 8);
  const found = file.read(0, start);
  const view = new DataView(start.buffer);
  if (found < 4 || view.getUint32(0) !== QCOW2_MAGIC) {
    throw new DiskError("disk-format", `disk ${file.name}: expected a qcow2 image, but it does not begin like one`);
  }
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) {
    throw new DiskError("disk-format", `disk ${file.name}: expected qcow2 version 2 or 3, found ${version}`);
  }
  if (found < (version === 2 ? V2_HEADER_BYTES : V3_HEADER_BYTES)) throw truncated(file, "its header is not complete");
  const clusterBits = view.getUint32(20);
  if (clusterBits < 9 || clusterBits > 21) throw corrupt(file, `its clusters have 2^${clusterBits} bytes`);
  const cluster = new Uint8Array(2 ** clusterBits);
  cluster.fill(0, file.read(0, cluster));
  return new HeaderReader(file, cluster, version).read();
}

const corrupt = (file: ImageFile, why: string): DiskError =>
  new DiskError("disk-corrupt", `disk ${file.name}: the qcow2 image is corrupt: ${why}`);

const truncated = (file: ImageFile, why: string): DiskError =>
  new DiskError("disk-truncated", `disk ${file.name}: the qcow2 image is truncated: ${why}`);

const unsupported = (file: ImageFile, what: string): DiskError =>
  new DiskError("disk-format", `disk ${file.name}: the qcow2 image has ${what}, which is not supported`);

class HeaderReader {
  readonly #file: ImageFile;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #version: 2 | 3;
  readonly #clusterBytes: number;

  constructor(file: ImageFile, cluster: Uint8Array<ArrayBuffer>, version: 2 | 3) {
    this.#file = file;
    this.#bytes = cluster;
    this.#view = new DataView(cluster.buffer);
    this.#version = version;
    this.#clusterBytes = cluster.length;
  }

  read(): Qcow2Header {
    const view = this.#view;
    if (view.getUint32(32) !== 0) throw unsupported(this.#file, "encryption");
    const headerBytes = this.#headerBytes();
    const extensions = this.#extensions(headerBytes);
    const features = this.#features(extensions);
    const header: Qcow2Header = {
      version: this.#version,
      clusterBits: view.getUint32(20),
      size: this.#offset(24),
      l1Size: view.getUint32(36),
      l1Offset: this.#offset(40),
      refcountTableOffset: this.#offset(48),
      refcountTableClusters: view.getUint32(56),
      refcountOrder: this.#version === 2 ? 4 : view.getUint32(96),
      snapshots: view.getUint32(60),
      snapshotsOffset: this.#offset(64),
      ...features,
      compression: this.#compression(headerBytes),
      backingFile: this.#backingFile(),
      backingFormat: textOf(extensions.get(Extension.backingFormat)),
    };
    this.#checkSize(header);
    this.#checkTables(header);
    return header;
  }

  #headerBytes(): number {
    const bytes = this.#version === 2 ? V2_HEADER_BYTES : this.#view.getUint32(100);
    const least = this.#version === 2 ? V2_HEADER_BYTES : V3_HEADER_BYTES;
    if (bytes >= least && bytes <= this.#clusterBytes && bytes % 8 === 0) return bytes;
    throw corrupt(this.#file, `its header has ${bytes} bytes`);
  }

  /** Those with a meaning here, by their type; others are left alone. */
  #extensions(at: number): Map<number, Uint8Array> {
    const found = new Map<number, Uint8Array>();
    for (let next = at; next + 8 <= this.#clusterBytes; ) {
      const type = this.#view.getUint32(next);
      const length = this.#view.getUint32(next + 4);
      if (type === Extension.end) break;
      if (next + 8 + length > this.#clusterBytes) throw corrupt(this.#file, "a header extension is too long");
      found.set(type, this.#bytes.subarray(next + 8, next + 8 + length));
      next += 8 + Math.ceil(length / 8) * 8;
    }
    return found;
  }

  #features(extensions: Map<number, Uint8Array>): Pick<Qcow2Header, "dirty" | "corrupt" | "autoclear"> {
    if (this.#version === 2) return { dirty: false, corrupt: false, autoclear: 0n };
    const set = this.#view.getBigUint64(HeaderField.incompatible);
    const has = (bit: number): boolean => (set & BigInt(bit)) !== 0n;
    if (has(Incompatible.externalData)) throw unsupported(this.#file, "an external data file");
    if (has(Incompatible.extendedL2)) throw unsupported(this.#file, "extended level 2 entries (subclusters)");
    const unknown = set >> 5n;
    if (unknown !== 0n) {
      throw unsupported(this.#file, featureName(extensions.get(Extension.featureNames), set & ~0x1fn));
    }
    const autoclear = this.#view.getBigUint64(HeaderField.autoclear);
    if ((autoclear & AUTOCLEAR_BITMAPS) !== 0n && extensions.has(Extension.bitmaps) && !this.#file.readOnly) {
      const advice = "remove them (qemu-img bitmap --remove) or attach the disk read-only";
      throw new DiskError(
        "disk-format",
        `disk ${this.#file.name}: the qcow2 image has persistent bitmaps, which writing would spoil; ${advice}`,
      );
    }
    return { dirty: has(Incompatible.dirty), corrupt: has(Incompatible.corrupt), autoclear };
  }

  #compression(headerBytes: number): Qcow2Header["compression"] {
    if (this.#version === 2 || headerBytes <= V3_HEADER_BYTES) return "deflate";
    const type = this.#bytes[V3_HEADER_BYTES];
    if (type > 1) throw unsupported(this.#file, `compression of type ${type}`);
    return type === 1 ? "zstd" : "deflate";
  }

  #backingFile(): string | undefined {
    const offset = this.#offset(8);
    const length = this.#view.getUint32(16);
    if (offset === 0 || length === 0) return undefined;
    if (length > MOST_BACKING_NAME || offset + length > this.#clusterBytes) {
      throw corrupt(this.#file, `the name of its backing file has ${length} bytes at ${offset}`);
    }
    return textOf(this.#bytes.subarray(offset, offset + length));
  }

  #checkSize({ size, l1Size, clusterBits }: Qcow2Header): void {
    if (size === 0 || size % SECTOR_BYTES !== 0) {
      throw new DiskError(
        "disk-format",
        `disk ${this.#file.name}: expected a qcow2 image with whole sectors of ${SECTOR_BYTES} bytes, found ${size} bytes`,
      );
    }
    const tables = Math.ceil(size / 2 ** (2 * clusterBits - 3));
    if (l1Size >= tables && l1Size * 8 <= MOST_L1_BYTES) return;
    throw corrupt(this.#file, `a level 1 table of ${l1Size} entries does not fit a disk of ${size} bytes`);
  }

  #checkTables(header: Qcow2Header): void {
    const { l1Offset, l1Size, refcountTableOffset, refcountTableClusters, refcountOrder } = header;
    this.#checkTable("level 1 table", l1Offset, l1Size * 8);
    const bytes = refcountTableClusters * this.#clusterBytes;
    if (bytes === 0 || bytes > Math.max(MOST_REFCOUNT_TABLE_BYTES, this.#clusterBytes)) {
      throw corrupt(this.#file, `its refcount table has ${refcountTableClusters} clusters`);
    }
    this.#checkTable("refcount table", refcountTableOffset, bytes);
    if (refcountOrder > 6) throw corrupt(this.#file, `its refcounts have 2^${refcountOrder} bits`);
    if (header.snapshots > MOST_SNAPSHOTS) throw corrupt(this.#file, `it has ${header.snapshots} snapshots`);
    if (header.snapshots > 0) this.#checkTable("table of snapshots", header.snapshotsOffset, 1);
  }

  #checkTable(what: string, offset: number, bytes: number): void {
    if (offset === 0 || offset % this.#clusterBytes !== 0) throw corrupt(this.#file, `its ${what} is at ${offset}`);
    const end = Math.ceil(this.#file.size / this.#clusterBytes) * this.#clusterBytes;
    if (offset + bytes > end) throw truncated(this.#file, `its ${what} ends at ${offset + bytes}, the file at ${end}`);
  }

  /** A 64-bit field; beyond 2^53 it is rounded, which no check lets pass. */
  #offset(at: number): number {
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }
}

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

/** What the image itself calls the lowest of some incompatible features. @spec qcow2 "Feature name table" */
function featureName(table: Uint8Array | undefined, features: bigint): string {
  let bit = 0;
  while (((features >> BigInt(bit)) & 1n) === 0n) bit++;
  for (let at = 0; table !== undefined && at + 48 <= table.length; at += 48) {
    if (table[at] !== 0 || table[at + 1] !== bit) continue;
    const name = (textOf(table.subarray(at + 2, at + 48)) ?? "").replace(/[^ -~]+.*/s, "");
    return `the feature "${name}"`;
  }
  return `an unknown feature (bit ${bit})`;
}
