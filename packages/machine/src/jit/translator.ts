/**
 * The JIT: turns hot guest code into WebAssembly functions and keeps them until the guest writes to their page.
 * Regions are keyed by where their entry lies in guest memory, so every mapping of a page shares them.
 */
import { RuntimeImports } from "../codegen/runtime-functions.ts";
import { type GuestMemory, PAGE_SIZE } from "../memory.ts";
import { ModuleBuilder, ValueType } from "../wasm/index.ts";
import { controlFlow } from "./control-flow.ts";
import { emitRegion } from "./region-emitter.ts";

/** Regions compiled into one module: fewer modules cost less memory and less time. */
const BATCH = 16;
/** Regions kept at most; beyond that all are dropped, which bounds the host's memory. */
const MAX_REGIONS = 16384;

export class Translator {
  /** Functions of the regions; index 0 stays empty. */
  readonly table = new WebAssembly.Table({ initial: 1024, element: "anyfunc" });
  readonly #memory: GuestMemory;
  readonly #imports: WebAssembly.Imports;
  /** Called when regions are dropped, so that nothing keeps an index of theirs. */
  readonly #onDrop: () => void;
  readonly #regions = new Map<number, number>();
  readonly #pages = new Map<number, Set<number>>();
  readonly #untranslatable = new Set<number>();
  readonly #pending = new Set<number>();
  #nextIndex = 1;
  readonly #freeIndices: number[] = [];

  constructor(memory: GuestMemory, imports: WebAssembly.Imports, onDrop: () => void) {
    this.#memory = memory;
    this.#imports = imports;
    this.#onDrop = onDrop;
  }

  /** Table index of the region whose entry is at an offset in the wasm memory, or 0. */
  regionAt(offset: number): number {
    return this.#regions.get(offset) ?? 0;
  }

  /** Asks for a region; it is there at the latest after the next `compile`. */
  request(offset: number): void {
    if (this.#regions.has(offset) || this.#untranslatable.has(offset)) return;
    this.#pending.add(offset);
    if (this.#pending.size >= BATCH) this.compile();
  }

  /** Compiles the regions asked for. */
  compile(): void {
    if (this.#pending.size === 0) return;
    if (this.#regions.size + this.#pending.size > MAX_REGIONS) this.#dropAll();
    const module = new ModuleBuilder();
    module.importMemory("env", "memory", 1);
    const imports = new RuntimeImports(module);
    const entries: number[] = [];
    for (const offset of this.#pending) {
      const pageOffset = offset % PAGE_SIZE;
      const page = new DataView(this.#memory.buffer, offset - pageOffset, PAGE_SIZE);
      const [entry] = controlFlow(page, pageOffset);
      if (entry === undefined) {
        this.#addTo(offset, 0);
        continue;
      }
      emitRegion(module.function([ValueType.i32], [], String(entries.length)), imports, entry);
      entries.push(offset);
    }
    this.#pending.clear();
    if (entries.length === 0) return;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), this.#imports);
    entries.forEach((offset, position) => {
      const index = this.#freeIndices.pop() ?? this.#nextIndex++;
      if (index >= this.table.length) this.table.grow(this.table.length);
      this.table.set(index, exports[position] as () => void);
      this.#addTo(offset, index);
    });
  }

  /** Whether a page, by its number in the wasm memory, holds translated code. */
  isCodePage(page: number): boolean {
    return this.#pages.has(page);
  }

  /** Drops what was translated from a page, by its number in the wasm memory. */
  invalidate(page: number): void {
    const offsets = this.#pages.get(page);
    if (offsets === undefined) return;
    this.#pages.delete(page);
    for (const offset of offsets) {
      const index = this.#regions.get(offset);
      this.#regions.delete(offset);
      this.#untranslatable.delete(offset);
      if (index === undefined) continue;
      this.table.set(index, null);
      this.#freeIndices.push(index);
    }
    this.#onDrop();
  }

  /** Pages got their first region since the last call: stores to them must be seen from now on. */
  takeNewPages(): number[] {
    return this.#newPages.splice(0);
  }
  readonly #newPages: number[] = [];

  #addTo(offset: number, index: number): void {
    if (index === 0) this.#untranslatable.add(offset);
    else this.#regions.set(offset, index);
    const page = Math.floor(offset / PAGE_SIZE);
    const offsets = this.#pages.get(page);
    if (offsets !== undefined) offsets.add(offset);
    else {
      this.#pages.set(page, new Set([offset]));
      this.#newPages.push(page);
    }
  }

  #dropAll(): void {
    for (const page of [...this.#pages.keys()]) this.invalidate(page);
  }
}
