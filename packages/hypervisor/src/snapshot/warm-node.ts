/**
 * Pages that machines touch soon after they were restored, unpacked and in one piece in a file beside their snapshot: read
 * together they cost a fraction of what they do one by one. The first machine that goes on from a snapshot finds out
 * which they are. Losing the file loses nothing. Who calls it: the thread of a partition that is restored.
 */
import { closeSync, openSync, readSync, readvSync, renameSync, rmSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { PageMap, PageSource } from "@bulkhead/machine";
import { PAGE_BYTES } from "./format.ts";
import { PageReader } from "./reader-node.ts";
import { indexOf } from "./restored-node.ts";
import { RAM_SPACE } from "./saved-machine.ts";
import type { Snapshot } from "./snapshot.ts";
import { PARTIAL } from "./writer-node.ts";

/** What the file's name has behind the snapshot's. */
export const WARM = ".warm";
const MAGIC = "BULKWARM1";
/** The magic and the snapshot's id, then the number of pages and two checksums: of the list, and of the contents. */
const TEXT_BYTES = 64;
const HEADER_BYTES = TEXT_BYTES + 12;
/** Most pages: 24 MiB. A machine that has touched more has done work of its own. */
const MOST_PAGES = 6144;
/** So many more pages than were known make a better file. */
const LEAST_NEWS = 256;
/** Pieces of memory in one call of the kernel. */
const MOST_PIECES = 1024;

export class WarmPages {
  readonly #snapshot: Snapshot;
  readonly #index: Uint32Array;
  readonly #reader: PageReader;
  readonly #loaded: number[] = [];
  #warm = new Uint32Array(0);

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#index = indexOf(snapshot, RAM_SPACE) ?? new Uint32Array(0);
    this.#reader = new PageReader(snapshot.layers);
  }

  /** Pages of RAM as this thread's hart and the devices want them. */
  get source(): PageSource {
    return { load: (page, into) => this.#load(page, into) };
  }

  /** Leaves all pages with the source, but for the warm ones. Before any hart runs. */
  prepare(map: PageMap): void {
    map.leaveOut(this.#index);
    try {
      this.#warm = this.#bring(map);
    } catch {
      // There is none, or none that can be used: pages come one by one.
    }
  }

  /** Notes what was wanted, for the next machine. */
  finish(): void {
    const news = this.#loaded.length;
    if (news < LEAST_NEWS || this.#warm.length + LEAST_NEWS > MOST_PAGES) return;
    try {
      this.#write(Uint32Array.from([...this.#warm, ...this.#loaded].slice(0, MOST_PAGES)).sort());
    } catch {
      // A directory that cannot be written, or a snapshot that is gone.
    }
  }

  #load(page: number, into: Uint8Array): void {
    if (this.#loaded.length < MOST_PAGES) this.#loaded.push(page);
    this.#reader.load(this.#index[page], into);
  }

  get #name(): string {
    return `${MAGIC} ${this.#snapshot.meta.id}`;
  }

  #bring(map: PageMap): Uint32Array<ArrayBuffer> {
    const fd = openSync(this.#snapshot.path + WARM, "r");
    try {
      const head = readWhole(fd, HEADER_BYTES, 0);
      const view = new DataView(head.buffer);
      const name = new TextDecoder().decode(head.subarray(0, TEXT_BYTES)).replace(/\0+$/, "");
      const count = view.getUint32(TEXT_BYTES, true);
      if (name !== this.#name || count > MOST_PAGES) throw new Error("the warm pages are another snapshot's");
      const list = readWhole(fd, count * 4, HEADER_BYTES);
      if (crc32(list) !== view.getUint32(TEXT_BYTES + 4, true)) throw new Error("the list of warm pages is damaged");
      const pages = new Uint32Array(list.buffer);
      if (pages.some((page) => (this.#index[page] ?? 0) === 0)) throw new Error("a warm page is not the snapshot's");
      const expected = view.getUint32(TEXT_BYTES + 8, true);
      return map.bringAll(pages, (pieces) => readPieces(fd, pieces, HEADER_BYTES + count * 4) === expected)
        ? pages
        : new Uint32Array(0);
    } finally {
      closeSync(fd);
    }
  }

  #write(pages: Uint32Array<ArrayBuffer>): void {
    const path = this.#snapshot.path + WARM;
    const partial = `${path}${PARTIAL}${process.pid}-${crypto.randomUUID()}`;
    const fd = openSync(partial, "wx", 0o600);
    try {
      const list = new Uint8Array(pages.buffer);
      const page = new Uint8Array(PAGE_BYTES);
      let at = HEADER_BYTES + list.length;
      let contents = 0;
      for (const number of pages) {
        this.#reader.load(this.#index[number], page);
        contents = crc32(page, contents);
        writeSync(fd, page, 0, PAGE_BYTES, at);
        at += PAGE_BYTES;
      }
      const head = new Uint8Array(HEADER_BYTES);
      new TextEncoder().encodeInto(this.#name, head);
      const view = new DataView(head.buffer);
      view.setUint32(TEXT_BYTES, pages.length, true);
      view.setUint32(TEXT_BYTES + 4, crc32(list), true);
      view.setUint32(TEXT_BYTES + 8, contents, true);
      writeSync(fd, head, 0, head.length, 0);
      writeSync(fd, list, 0, list.length, HEADER_BYTES);
      renameSync(partial, path);
    } finally {
      closeSync(fd);
      rmSync(partial, { force: true });
    }
  }
}

function readWhole(fd: number, bytes: number, offset: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  if (readSync(fd, whole, 0, bytes, offset) !== bytes) throw new Error("the warm pages are cut off");
  return whole;
}

/** Reads pages into pieces of memory; gives the checksum of all of them. */
function readPieces(fd: number, pieces: readonly Uint8Array[], offset: number): number {
  let checksum = 0;
  for (let first = 0; first < pieces.length; first += MOST_PIECES) {
    const some = pieces.slice(first, first + MOST_PIECES);
    const bytes = some.length * PAGE_BYTES;
    if (readvSync(fd, some, offset + first * PAGE_BYTES) !== bytes) throw new Error("the warm pages are cut off");
    for (const piece of some) checksum = crc32(piece, checksum);
  }
  return checksum;
}
