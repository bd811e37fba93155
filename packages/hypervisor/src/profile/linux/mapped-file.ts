/**
 * A file that processes of the guest have mapped, read out of the guest's page cache. What is not cached is out of reach,
 * which for symbols is rarely a loss: the dynamic linker has just read them.
 */
import { type ElfSymbols, elfSymbols } from "../elf-symbols.ts";
import type { KernelMemory } from "./kernel-memory.ts";
import type { Structures } from "./structures.ts";
import { xarrayFind } from "./xarray.ts";

const PAGE_BYTES = 4096;
const PAGE_BITS = 12n;

export class MappedFile {
  /** Path within its file system. */
  readonly path: string;
  readonly #layout: Structures;
  readonly #inode: bigint;
  /** Address of `struct page` of physical page 0, learnt from a page whose place is known. */
  #pages: bigint | undefined;
  #symbols: ElfSymbols | undefined;
  /** How often symbols were wanted; while some are missing they are read again at every power of two. */
  #wanted = 0;

  constructor(layout: Structures, inode: bigint, path: string) {
    this.#layout = layout;
    this.#inode = inode;
    this.path = path;
  }

  get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  /** Function at an offset in the file. */
  function(offset: number): string | undefined {
    const address = this.#symbols?.addressOf(offset);
    return address === undefined ? undefined : this.#symbols?.table.find(address)?.name;
  }

  /**
   * Reads the symbols, unless they are complete. @param index a page of the file. @param physicalPage where it lies:
   * that tells where the kernel keeps what it knows of pages.
   */
  learn(memory: KernelMemory, index: bigint, physicalPage: bigint): void {
    this.#wanted++;
    if (this.#symbols?.incomplete === false || (this.#wanted & (this.#wanted - 1)) !== 0) return;
    this.#pages ??= this.#locatePages(memory, index, physicalPage);
    this.relearn(memory);
  }

  /** Tries again for what was not cached before. */
  relearn(memory: KernelMemory): void {
    if (this.#pages === undefined || this.#symbols?.incomplete === false) return;
    const found = elfSymbols((offset, length) => this.#read(memory, offset, length));
    if (found !== undefined && found.table.size >= (this.#symbols?.table.size ?? 0)) this.#symbols = found;
  }

  #locatePages(memory: KernelMemory, index: bigint, physicalPage: bigint): bigint | undefined {
    const folio = this.#folio(memory, index);
    if (folio === 0n) return undefined;
    const within = index - memory.pointer(folio + this.#layout.folioIndex);
    return folio - (physicalPage - within) * this.#layout.pageBytes;
  }

  #folio(memory: KernelMemory, index: bigint): bigint {
    const cache = memory.pointer(this.#inode + this.#layout.inodeCache);
    return cache === 0n ? 0n : xarrayFind(memory, this.#layout, memory.pointer(cache + this.#layout.cachePages), index);
  }

  #read(memory: KernelMemory, offset: number, length: number): Uint8Array | undefined {
    if (offset + length > Number(memory.pointer(this.#inode + this.#layout.inodeSize))) return undefined;
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const within = (offset + done) % PAGE_BYTES;
      const page = this.#page(memory, BigInt(Math.floor((offset + done) / PAGE_BYTES)));
      if (page === undefined) return undefined;
      const part = Math.min(PAGE_BYTES - within, length - done);
      bytes.set(page.subarray(within, within + part), done);
      done += part;
    }
    return bytes;
  }

  #page(memory: KernelMemory, index: bigint): Uint8Array | undefined {
    const folio = this.#folio(memory, index);
    if (folio === 0n || this.#pages === undefined) return undefined;
    const within = index - memory.pointer(folio + this.#layout.folioIndex);
    const physical = (folio - this.#pages) / this.#layout.pageBytes + within;
    const at = physical < 0n ? -1 : memory.view.offsetOf(physical << PAGE_BITS, PAGE_BYTES);
    return at < 0 ? undefined : memory.view.bytes.subarray(at, at + PAGE_BYTES);
  }
}
