/**
 * Guest memory: the one `WebAssembly.Memory` of a guest. It holds the state of its harts (registers, CSRs, TLBs)
 * below `ramOffset` and its RAM from there on, and nothing of the host. Who calls it: harts, devices, loaders.
 */
import { CodeMap } from "./code-map.ts";
import { PageMap, type PageSource } from "./page-map.ts";

/** Where RAM starts in the guest's physical address space, as on QEMU's `virt` machine. */
export const RAM_BASE = 0x8000_0000;
export const PAGE_SIZE = 4096;
const WASM_PAGE = 65536;

/** Bytes at the bottom of the memory that all harts share, then bytes of each hart; RAM follows. */
export const SHARED_AREA = 0x20_0000;
export const HART_AREA = 0x58_0000;

/**
 * Code map, which all harts share: a byte for each page of RAM, by its number in RAM, with a bit for each thread that may
 * have translated code from the page (code-map.ts). Generated code gives a page a write tag only after it has read 0
 * here, and a store without a write tag reaches `HartCallouts.store`, which announces it.
 */
export const CODE_MAP = 0x1_0000;

const CODE_MAP_END = 0x10_0000;

/** Page map, which all harts share: a byte for each page of RAM, which says whether it may be read and written (page-map.ts). */
export const PAGE_MAP = 0x11_0000;

/** A word that all harts share: 1 while one of them is within a 16-byte atomic. The word at 0 stays unused, as 0 is no valid offset. */
export const PAIR_LOCK = 0x1000;

export class GuestMemory {
  readonly wasm: WebAssembly.Memory;
  readonly buffer: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly doublewords: BigInt64Array;
  readonly view: DataView;
  /** Byte offset of RAM in the wasm memory, and RAM's size in bytes. */
  readonly ramOffset: number;
  readonly ramSize: number;
  /** For how many harts there is room. */
  readonly harts: number;
  /** Which pages hold translated code; this object's thread is the one that it was made for. */
  readonly codeMap: CodeMap;
  /** Called before code is translated from a page (address / 4096) that the code map had nothing of this thread for. */
  onTranslate: ((page: number) => void) | undefined;
  #pages: PageMap | undefined;
  #announce: (address: number, length: number) => void = () => {};
  #onWrite = this.#announce;

  /**
   * @param ramSize bytes, a multiple of 64 KiB, at most 3.5 GiB. @param harts how many harts to make room for.
   * @param attached the memory of another thread's object, which this one becomes a view of. @param thread the number of
   * the thread that uses this object.
   */
  constructor(ramSize: number, harts: number, attached?: WebAssembly.Memory, thread = 0) {
    this.ramOffset = SHARED_AREA + HART_AREA * harts;
    this.ramSize = ramSize;
    this.harts = harts;
    const pages = (this.ramOffset + ramSize) / WASM_PAGE;
    this.wasm = attached ?? new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.buffer = this.wasm.buffer as unknown as SharedArrayBuffer;
    this.bytes = new Uint8Array(this.buffer);
    this.words = new Int32Array(this.buffer);
    this.doublewords = new BigInt64Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.codeMap = new CodeMap(this.bytes.subarray(CODE_MAP, CODE_MAP_END), RAM_BASE / PAGE_SIZE, thread);
  }

  /** Called before host code writes guest RAM: physical address and length in bytes. Drops translated code there. */
  get onWrite(): (address: number, length: number) => void {
    return this.#onWrite;
  }

  set onWrite(announce: (address: number, length: number) => void) {
    this.#announce = announce;
    const pages = this.#pages;
    this.#onWrite =
      pages === undefined
        ? announce
        : (address, length) => {
            if (length > 0 && this.placeOf(address, length) >= 0) pages.write(address - RAM_BASE, length);
            this.#announce(address, length);
          };
  }

  /** What is known of pages; undefined for a machine that is not to be saved, and has all of its RAM in memory. */
  get pages(): PageMap | undefined {
    return this.#pages;
  }

  /**
   * Keeps a map of pages, which come from a source when they are first touched, if there is one. Before any hart is made.
   * @param copies see `copiesMemory`.
   */
  mapPages(copies: SharedArrayBuffer, source?: PageSource): void {
    const states = this.bytes.subarray(PAGE_MAP, PAGE_MAP + this.ramSize / PAGE_SIZE);
    const ram = this.bytes.subarray(this.ramOffset, this.ramOffset + this.ramSize);
    this.#pages = new PageMap(states, ram, copies, source);
    this.onWrite = this.#announce;
  }

  /** Where `length` bytes at a physical address lie in the wasm memory, or -1 if they are not all RAM. They may not be there yet. */
  placeOf(address: number, length: number): number {
    const start = address - RAM_BASE;
    return start >= 0 && length >= 0 && start + length <= this.ramSize ? start + this.ramOffset : -1;
  }

  /** `placeOf` for bytes that are to be read or written: they are there. */
  offsetOf(address: number, length: number): number {
    const offset = this.placeOf(address, length);
    if (this.#pages !== undefined && offset >= 0) this.#pages.bring(address - RAM_BASE, length);
    return offset;
  }

  /** Bytes at a physical address for reading, or undefined if they are not all RAM. */
  readable(address: number, length: number): Uint8Array | undefined {
    const offset = this.offsetOf(address, length);
    return offset < 0 ? undefined : this.bytes.subarray(offset, offset + length);
  }

  /** Bytes at a physical address for writing, or undefined if they are not all RAM. */
  writable(address: number, length: number): Uint8Array | undefined {
    const offset = this.offsetOf(address, length);
    if (offset < 0) return undefined;
    this.onWrite(address, length);
    return this.bytes.subarray(offset, offset + length);
  }
}
