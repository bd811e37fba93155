/**
 * A snapshot's file: a header, chunks of pages, a table of chunks, an index for each space of pages, and a description of
 * the machine. Everything has a checksum. Layout: docs/specification.md, "Snapshots". Who calls it: writer and reader.
 */

export const MAGIC = "BULKSNAP";
/** Raised whenever an older reader would misunderstand a file. */
export const FORMAT_VERSION = 1;
export const HEADER_BYTES = 128;
export const PAGE_BYTES = 4096;
/** Pages that are compressed together: few, since one of them is wanted at a time. */
export const CHUNK_PAGES = 16;
export const CHUNK_BYTES = CHUNK_PAGES * PAGE_BYTES;

/**
 * Where a page's content is, in an index: 0 for nowhere (a page of zeros, or the disk below), else the number of a layer
 * (0 this file, others its ancestors in order) and from 1 the number of a stored page in it.
 */
export const LAYER_SHIFT = 26;
export const MOST_LAYERS = 32;
const NUMBER_MASK = 2 ** LAYER_SHIFT - 1;
export const NOWHERE = 0;
/** A page of zeros where `NOWHERE` means another thing. */
export const ZEROS = NUMBER_MASK;
export const MOST_PAGES = NUMBER_MASK - 1;

export const refOf = (layer: number, page: number): number => ((layer << LAYER_SHIFT) | (page + 1)) >>> 0;
export const layerOf = (ref: number): number => ref >>> LAYER_SHIFT;
export const pageOf = (ref: number): number => (ref & NUMBER_MASK) - 1;
/** The same page as a descendant's file names it. */
export const inherited = (ref: number): number => (ref === NOWHERE || ref === ZEROS ? ref : ref + 2 ** LAYER_SHIFT);

/** A part of the file, compressed, with its checksum. */
export interface Section {
  readonly offset: number;
  readonly bytes: number;
  /** Bytes when unpacked. */
  readonly unpacked: number;
  readonly checksum: number;
}

export const sectionNames = ["table", "index", "meta"] as const;
export type SectionName = (typeof sectionNames)[number];

export interface Header {
  readonly fileBytes: number;
  readonly sections: Readonly<Record<SectionName, Section>>;
}

/** Bytes of the header whose checksum is at `CHECKSUM_AT`. */
export const CHECKSUM_AT = 12;
const BODY_AT = 16;
const SECTION_BYTES = 24;

/** @param checksum CRC-32 of some bytes. */
export function encodeHeader(header: Header, checksum: (bytes: Uint8Array) => number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  new TextEncoder().encodeInto(MAGIC, bytes);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setBigUint64(BODY_AT, BigInt(header.fileBytes), true);
  for (const [i, name] of sectionNames.entries()) {
    const at = BODY_AT + 8 + i * SECTION_BYTES;
    const section = header.sections[name];
    view.setBigUint64(at, BigInt(section.offset), true);
    view.setUint32(at + 8, section.bytes, true);
    view.setUint32(at + 12, section.unpacked, true);
    view.setUint32(at + 16, section.checksum, true);
  }
  view.setUint32(CHECKSUM_AT, checksum(bytes), true);
  return bytes;
}

/** What is wrong with a file's beginning. */
export interface HeaderFault {
  readonly fault: "foreign" | "future" | "corrupt";
  readonly reason: string;
}

/** Reads a header of at least `HEADER_BYTES` bytes, if the file is large enough for one. @param size of the file, in bytes. */
export function decodeHeader(
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
  checksum: (bytes: Uint8Array) => number,
): Header | HeaderFault {
  const magic = new TextDecoder("latin1").decode(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) return { fault: "foreign", reason: "it is not a snapshot" };
  if (bytes.length < HEADER_BYTES) return { fault: "corrupt", reason: `it is cut off after ${size} bytes` };
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const version = view.getUint32(8, true);
  const plain = bytes.slice(0, HEADER_BYTES);
  plain.fill(0, CHECKSUM_AT, CHECKSUM_AT + 4);
  if (view.getUint32(CHECKSUM_AT, true) !== checksum(plain))
    return { fault: "corrupt", reason: "its header is damaged" };
  if (version !== FORMAT_VERSION) {
    return { fault: "future", reason: `expected format ${FORMAT_VERSION}, found ${version}, of another version` };
  }
  const fileBytes = Number(view.getBigUint64(BODY_AT, true));
  if (fileBytes !== size) return { fault: "corrupt", reason: `it has ${size} bytes of ${fileBytes}` };
  const section = (i: number): Section => {
    const at = BODY_AT + 8 + i * SECTION_BYTES;
    const word = (offset: number): number => view.getUint32(at + offset, true);
    return {
      offset: Number(view.getBigUint64(at, true)),
      bytes: word(8),
      unpacked: word(12),
      checksum: word(16),
    };
  };
  return { fileBytes, sections: { table: section(0), index: section(1), meta: section(2) } };
}

/** What a snapshot says of itself and of the machine. */
export interface SnapshotMeta {
  readonly id: string;
  /** The program that wrote it. */
  readonly program: string;
  /** Files with pages that this one names, itself left out: nearest first. */
  readonly ancestors: readonly { readonly id: string; readonly file: string }[];
  /** Spaces of pages with an index, in order: RAM, then disks that keep writes aside. */
  readonly spaces: readonly { readonly name: string; readonly pages: number }[];
  /** What a description has to agree with, as text by setting. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly state: unknown;
}
