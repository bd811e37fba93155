/**
 * Pages that machines touch soon after they were restored, unpacked and in one piece in a file beside their snapshot, and
 * what their interpreter decodes there: read together they cost a fraction of what they do one by one. The first machine that goes on from a snapshot finds out
 * which they are. Losing the file loses nothing. Who calls it: the thread of a partition that is restored.
 */
import { closeSync, openSync, readSync, readvSync, renameSync, rmSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { decodeSignature, type GuestMemory, giveDecoded, type PageSource, takeDecoded } from "@bulkhead/machine";
import { PAGE_BYTES } from "./format.ts";
import { PageReader } from "./reader-node.ts";
import { indexOf } from "./restored-node.ts";
import { RAM_SPACE } from "./saved-machine.ts";
import type { Snapshot } from "./snapshot.ts";
import { PARTIAL } from "./writer-node.ts";

/** What the file's name has behind the snapshot's. */
export const WARM = ".warm";
const MAGIC = "BULKWARM2";
/** The magic, the snapshot's id and the signature of the decoder; then the words below. */
const TEXT_BYTES = 64;
/** Numbers of pages and of decoded words; checksums of both lists, and of the pages' contents. */
const Head = { pages: 0, decoded: 1, lists: 2, contents: 3, words: 4 } as const;
const HEADER_BYTES = TEXT_BYTES + Head.words * 4;
/** Most pages: 16 MiB, and for how long they are noted. What a machine touches later is work of its own. */
const MOST_PAGES = 4096;
const NOTED_MS = 2000;
/** Most words of what was decoded: some 40,000 instructions. */
const MOST_DECODED = 280_000;
/** So many more pages than were known make a better file. */
const LEAST_NEWS = 256;
/** Pieces of memory in one call of the kernel. */
const MOST_PIECES = 1024;

export class WarmPages {
  readonly #snapshot: Snapshot;
  readonly #index: Uint32Array;
  readonly #reader: PageReader;
  readonly #loaded: number[] = [];
  readonly #untilMs = performance.now() + NOTED_MS;
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

  /** Leaves all pages of a machine with the source, but for the warm ones. Before any hart runs. */
  prepare(memory: GuestMemory): void {
    memory.pages?.leaveOut(this.#index);
    try {
      this.#warm = this.#bring(memory);
    } catch {
      // There is none, or none that can be used: pages come one by one.
    }
  }

  /** Notes what was wanted, for the next machine. */
  finish(memory: GuestMemory): void {
    const news = this.#loaded.length;
    if (news < LEAST_NEWS || this.#warm.length + LEAST_NEWS > MOST_PAGES) return;
    try {
      const pages = Uint32Array.from([...this.#warm, ...this.#loaded].slice(0, MOST_PAGES)).sort();
      this.#write(pages, takeDecoded(memory, 0).subarray(0, MOST_DECODED));
    } catch {
      // A directory that cannot be written, or a snapshot that is gone.
    }
  }

  #load(page: number, into: Uint8Array): void {
    if (this.#loaded.length < MOST_PAGES && performance.now() < this.#untilMs) this.#loaded.push(page);
    this.#reader.load(this.#index[page], into);
  }

  get #name(): string {
    return `${MAGIC} ${this.#snapshot.meta.id} ${decodeSignature().toString(16)}`;
  }

  #bring(memory: GuestMemory): Uint32Array<ArrayBuffer> {
    const fd = openSync(this.#snapshot.path + WARM, "r");
    try {
      const head = readWhole(fd, HEADER_BYTES, 0);
      const name = new TextDecoder().decode(head.subarray(0, TEXT_BYTES)).replace(/\0+$/, "");
      const numbers = new Uint32Array(head.buffer, TEXT_BYTES, Head.words);
      const [count, decoded] = [numbers[Head.pages], numbers[Head.decoded]];
      if (name !== this.#name || count > MOST_PAGES || decoded > MOST_DECODED)
        throw new Error("it is another snapshot's");
      const lists = readWhole(fd, (count + decoded) * 4, HEADER_BYTES);
      if (crc32(lists) !== numbers[Head.lists]) throw new Error("its lists are damaged");
      const words = new Uint32Array(lists.buffer);
      const pages = words.slice(0, count);
      if (pages.some((page) => (this.#index[page] ?? 0) === 0)) throw new Error("a page is not the snapshot's");
      const at = HEADER_BYTES + lists.length;
      const right = memory.pages?.bringAll(pages, (pieces) => readPieces(fd, pieces, at) === numbers[Head.contents]);
      if (right !== true) throw new Error("its pages are damaged");
      giveDecoded(memory, 0, words.subarray(count));
      return pages;
    } finally {
      closeSync(fd);
    }
  }

  #write(pages: Uint32Array<ArrayBuffer>, decoded: Uint32Array<ArrayBuffer>): void {
    const path = this.#snapshot.path + WARM;
    const partial = `${path}${PARTIAL}${process.pid}-${crypto.randomUUID()}`;
    const fd = openSync(partial, "wx", 0o600);
    try {
      const lists = new Uint8Array(Uint32Array.from([...pages, ...decoded]).buffer);
      const page = new Uint8Array(PAGE_BYTES);
      let at = HEADER_BYTES + lists.length;
      let contents = 0;
      for (const number of pages) {
        this.#reader.load(this.#index[number], page);
        contents = crc32(page, contents);
        writeSync(fd, page, 0, PAGE_BYTES, at);
        at += PAGE_BYTES;
      }
      const head = new Uint8Array(HEADER_BYTES);
      new TextEncoder().encodeInto(this.#name, head);
      const numbers = [pages.length, decoded.length, crc32(lists), contents];
      new Uint32Array(head.buffer, TEXT_BYTES).set(numbers);
      writeSync(fd, head, 0, head.length, 0);
      writeSync(fd, lists, 0, lists.length, HEADER_BYTES);
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
