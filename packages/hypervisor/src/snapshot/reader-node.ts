/**
 * Opens snapshots: everything but the pages is read and checked at once, and of these the checksums, unless this very file
 * has been checked before. Pages are loaded one by one. Who calls it: a partition's owner, then the threads of its harts.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { dirname, join } from "node:path";
import { crc32, zstdDecompressSync } from "node:zlib";
import { stateFromText } from "@bulkhead/devices";
import { HostError } from "../host-error.ts";
import {
  CHUNK_BYTES,
  CHUNK_PAGES,
  decodeHeader,
  HEADER_BYTES,
  type Header,
  layerOf,
  MOST_LAYERS,
  NOWHERE,
  PAGE_BYTES,
  pageOf,
  type Section,
  type SnapshotMeta,
  ZEROS,
} from "./format.ts";
import type { Layer, Snapshot } from "./snapshot.ts";

const TABLE_WORDS = 4;

const unusable = (path: string, why: string, cause?: unknown): HostError =>
  new HostError("snapshot-foreign", `snapshot ${path}: ${why}`, { cause });
const corrupt = (path: string, why: string, cause?: unknown): HostError =>
  new HostError("snapshot-corrupt", `snapshot ${path}: ${why}`, { cause });

/** Files whose pages have been checked, as they were then: by path. */
const checked = new Map<string, string>();

/**
 * Errors: `file-missing`, `file-unreadable`, `snapshot-foreign` for what is no snapshot or one of another version,
 * `snapshot-corrupt`.
 * @param id of the snapshot that is expected, if one is. @param trusted a file like this has been checked before: `identify`
 * says what a file is like.
 */
export function openSnapshot(path: string, id?: string, trusted?: (identity: string) => boolean): Snapshot {
  const { layer, meta, header } = openLayer(path, id, trusted);
  const layers = [layer];
  try {
    for (const ancestor of meta.ancestors) {
      layers.push(openLayer(join(dirname(path), ancestor.file), ancestor.id, trusted).layer);
    }
    if (layers.length > MOST_LAYERS) throw corrupt(path, "it has too many ancestors");
    return { path, meta, layers, indices: readIndices(path, layer.descriptor, header, meta, layers) };
  } catch (error) {
    for (const { descriptor } of layers) closeSync(descriptor);
    throw error;
  }
}

/** Gives the files up: no page can be loaded any more. */
export function closeSnapshot({ layers }: Snapshot): void {
  for (const { descriptor } of layers) closeSync(descriptor);
}

interface OpenLayer {
  readonly layer: Layer;
  readonly meta: SnapshotMeta;
  readonly header: Header;
}

function openLayer(path: string, id: string | undefined, trusted?: (identity: string) => boolean): OpenLayer {
  const fd = openFile(path);
  try {
    const { size } = fstatSync(fd);
    const head = new Uint8Array(HEADER_BYTES);
    const header = decodeHeader(head.subarray(0, readSync(fd, head, 0, HEADER_BYTES, 0)), size, crc32);
    if ("fault" in header) {
      throw header.fault === "corrupt" ? corrupt(path, header.reason) : unusable(path, header.reason);
    }
    const table = readTable(path, fd, header);
    const meta = readMeta(path, readSection(path, fd, header.sections.meta, "description"));
    if (id !== undefined && meta.id !== id) throw unusable(path, "it is not the snapshot that was expected there");
    const layer = { path, descriptor: fd, table };
    const identity = identify(fd);
    if (checked.get(path) !== identity && trusted?.(identity) !== true) checkChunks(layer);
    checked.set(path, identity);
    return { layer, meta, header };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readTable(path: string, fd: number, header: Header): Uint32Array {
  const words = wordsOf(readSection(path, fd, header.sections.table, "table"));
  const table = new Uint32Array(new SharedArrayBuffer((words.length / 2) * TABLE_WORDS * 4));
  let offset = HEADER_BYTES;
  for (let chunk = 0; chunk < words.length / 2; chunk++) {
    table.set([offset % 2 ** 32, offset / 2 ** 32, words[chunk * 2], words[chunk * 2 + 1]], chunk * TABLE_WORDS);
    offset += words[chunk * 2];
  }
  if (offset !== header.sections.table.offset) throw corrupt(path, "its table of chunks is damaged");
  return table;
}

/** What tells a file from any other one, and from itself before it was changed. */
function identify(fd: number): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(fd, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join("-");
}

function openFile(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const missing = code === "ENOENT" || code === "ENOTDIR";
    const why = missing ? "there is no such file" : `cannot be read (${code})`;
    throw new HostError(missing ? "file-missing" : "file-unreadable", `snapshot ${path}: ${why}`, { cause });
  }
}

function readSection(path: string, fd: number, section: Section, what: string): Uint8Array<ArrayBuffer> {
  const { offset, bytes, unpacked, checksum } = section;
  const damaged = (cause?: unknown): HostError => corrupt(path, `its ${what} is damaged`, cause);
  if (offset + bytes > fstatSync(fd).size) throw damaged();
  const packed = new Uint8Array(bytes);
  if (readSync(fd, packed, 0, bytes, offset) !== bytes || crc32(packed) !== checksum) throw damaged();
  try {
    const plain = new Uint8Array(zstdDecompressSync(packed, { maxOutputLength: Math.max(unpacked, 1) }));
    if (plain.length !== unpacked) throw damaged();
    return plain;
  } catch (cause) {
    throw cause instanceof HostError ? cause : damaged(cause);
  }
}

function readMeta(path: string, bytes: Uint8Array<ArrayBuffer>): SnapshotMeta {
  try {
    return stateFromText(new TextDecoder().decode(bytes)) as SnapshotMeta;
  } catch (cause) {
    throw corrupt(path, "its description is damaged", cause);
  }
}

function readIndices(
  path: string,
  fd: number,
  header: Header,
  meta: SnapshotMeta,
  layers: readonly Layer[],
): Uint32Array[] {
  const words = wordsOf(readSection(path, fd, header.sections.index, "index"));
  const pages = layers.map(({ table }) => (table.length / TABLE_WORDS) * CHUNK_PAGES);
  for (const ref of words) {
    if (ref === NOWHERE || ref === ZEROS) continue;
    const layer = layerOf(ref);
    if (layer >= layers.length || pageOf(ref) >= pages[layer]) throw corrupt(path, "its index is damaged");
  }
  let at = 0;
  const indices = meta.spaces.map((space) => {
    const index = new Uint32Array(new SharedArrayBuffer(space.pages * 4));
    index.set(words.subarray(at, at + space.pages));
    at += space.pages;
    return index;
  });
  if (at !== words.length) throw corrupt(path, "its index is damaged");
  return indices;
}

const wordsOf = ({ buffer, byteLength }: Uint8Array<ArrayBuffer>): Uint32Array =>
  new Uint32Array(buffer, 0, byteLength / 4);

/** Reads all chunks and compares their checksums. Errors: `snapshot-corrupt`. */
function checkChunks({ path, descriptor, table }: Layer): void {
  const most = 1024 * 1024;
  const buffer = new Uint8Array(most);
  for (let first = 0; first < table.length; ) {
    let end = first;
    let bytes = 0;
    while (end < table.length && bytes + table[end + 2] <= most) {
      bytes += table[end + 2];
      end += TABLE_WORDS;
    }
    if (end === first) throw corrupt(path, "its table of chunks is damaged");
    const start = chunkOffset(table, first);
    if (readSync(descriptor, buffer, 0, bytes, start) !== bytes) throw corrupt(path, "it has become shorter");
    for (let at = 0; first < end; first += TABLE_WORDS) {
      if (crc32(buffer.subarray(at, at + table[first + 2])) !== table[first + 3]) {
        throw corrupt(path, `pages at byte ${start + at} are damaged`);
      }
      at += table[first + 2];
    }
  }
}

const chunkOffset = (table: Uint32Array, at: number): number => table[at] + table[at + 1] * 2 ** 32;

/** Chunks that a reader keeps unpacked: the next page that is wanted is often in the same. */
const CACHED_CHUNKS = 16;

/** Loads pages of an open snapshot. Each thread has one of its own. */
export class PageReader {
  readonly #layers: readonly Layer[];
  readonly #cache = new Map<number, Uint8Array>();
  readonly #packed = new Uint8Array(CHUNK_BYTES);

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  /** Fills a page with what an index says. Errors: `snapshot-corrupt`. */
  load(ref: number, into: Uint8Array): void {
    if (ref === NOWHERE || ref === ZEROS) {
      into.fill(0);
      return;
    }
    const page = pageOf(ref);
    const chunk = this.#chunk(layerOf(ref), Math.floor(page / CHUNK_PAGES));
    const at = (page % CHUNK_PAGES) * PAGE_BYTES;
    into.set(chunk.subarray(at, at + PAGE_BYTES));
  }

  #chunk(layer: number, chunk: number): Uint8Array {
    const key = layer * 2 ** LAYER_KEY + chunk;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const fresh = this.#read(layer, chunk);
    if (this.#cache.size === CACHED_CHUNKS) this.#cache.delete(this.#cache.keys().next().value!);
    this.#cache.set(key, fresh);
    return fresh;
  }

  #read(number: number, chunk: number): Uint8Array {
    const { path, descriptor, table } = this.#layers[number];
    const at = chunk * TABLE_WORDS;
    const bytes = table[at + 2];
    const packed = this.#packed.subarray(0, bytes);
    const read = readSync(descriptor, packed, 0, bytes, chunkOffset(table, at));
    if (read !== bytes || crc32(packed) !== table[at + 3]) {
      throw corrupt(path, "it was damaged after it was opened");
    }
    if (bytes === CHUNK_BYTES) return packed.slice();
    try {
      return zstdDecompressSync(packed, { maxOutputLength: CHUNK_BYTES, chunkSize: CHUNK_BYTES });
    } catch (cause) {
      throw corrupt(path, "a chunk of pages cannot be unpacked", cause);
    }
  }
}

const LAYER_KEY = 26;
