/**
 * The JIT: turns hot guest code into WebAssembly functions and keeps them until the guest writes to their page.
 * Regions are keyed by where their entry lies in guest memory, so every mapping of a page shares them.
 */
import { RuntimeImports } from "../codegen/runtime-functions.ts";
import { type GuestMemory, PAGE_SIZE } from "../memory.ts";
import { ModuleBuilder, ValueType } from "../wasm/index.ts";
import { type Block, controlFlow } from "./control-flow.ts";
import { PageParts } from "./page-parts.ts";
import { emitRegion } from "./region-emitter.ts";

/** Regions compiled into one module: fewer modules cost less memory and less time. */
const BATCH = 16;
/** Regions kept at most; beyond that all are dropped, which bounds the host's memory. */
const MAX_REGIONS = 16384;

/** Stores next to a page's code after which the page is given up: it holds data too, and slow stores cost more. */
const MAX_WRITES = 512;

/** A page that code was translated from: by the offset of each entry, the parts of the page that it covers. */
interface CodePage {
  readonly entries: Map<number, PageParts>;
  writes: number;
}

export class Translator {
  /** Functions of the regions; index 0 stays empty. */
  readonly table = new WebAssembly.Table({ initial: 1024, element: "anyfunc" });
  readonly #memory: GuestMemory;
  readonly #imports: WebAssembly.Imports;
  /** Called when a region is dropped, by its entry's offset, so that nothing keeps its index. */
  readonly #onDrop: (offset: number) => void;
  readonly #regions = new Map<number, number>();
  readonly #pages = new Map<number, CodePage>();
  readonly #untranslatable = new Set<number>();
  readonly #pending = new Set<number>();
  readonly #newPages: number[] = [];
  #nextIndex = 1;
  readonly #freeIndices: number[] = [];

  constructor(memory: GuestMemory, imports: WebAssembly.Imports, onDrop: (offset: number) => void) {
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
    const entries: { readonly offset: number; readonly parts: PageParts }[] = [];
    for (const offset of this.#pending) {
      const pageOffset = offset % PAGE_SIZE;
      const page = new DataView(this.#memory.buffer, offset - pageOffset, PAGE_SIZE);
      const blocks = controlFlow(page, pageOffset);
      const parts = partsOf(blocks, pageOffset);
      if (blocks.length === 0) {
        this.#addTo(offset, 0, parts);
        continue;
      }
      emitRegion(module.function([ValueType.i32], [], String(entries.length)), imports, blocks[0]);
      entries.push({ offset, parts });
    }
    this.#pending.clear();
    if (entries.length === 0) return;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), this.#imports);
    entries.forEach(({ offset, parts }, position) => {
      const index = this.#freeIndices.pop() ?? this.#nextIndex++;
      if (index >= this.table.length) this.table.grow(this.table.length);
      this.table.set(index, exports[position] as () => void);
      this.#addTo(offset, index, parts);
    });
  }

  /** Whether a page, by its number in the wasm memory, holds translated code. */
  isCodePage(page: number): boolean {
    return this.#pages.has(page);
  }

  /** Drops what was translated from bytes that are about to be written: offset in the wasm memory and length. */
  written(offset: number, length: number): void {
    const end = offset + length;
    for (let page = Math.floor(offset / PAGE_SIZE); page * PAGE_SIZE < end; page++) {
      const code = this.#pages.get(page);
      if (code === undefined) continue;
      const start = page * PAGE_SIZE;
      const written = new PageParts();
      written.add(Math.max(offset - start, 0), Math.min(end - start, PAGE_SIZE));
      const dropAll = ++code.writes > MAX_WRITES;
      for (const [entry, parts] of code.entries) if (dropAll || parts.overlaps(written)) this.#drop(code, entry);
      if (code.entries.size === 0) this.#pages.delete(page);
    }
  }

  /** Pages that got their first region since the last call: stores to them must be seen from now on. */
  takeNewPages(): number[] {
    return this.#newPages.splice(0);
  }

  #addTo(offset: number, index: number, parts: PageParts): void {
    if (index === 0) this.#untranslatable.add(offset);
    else this.#regions.set(offset, index);
    const page = Math.floor(offset / PAGE_SIZE);
    let code = this.#pages.get(page);
    if (code === undefined) {
      code = { entries: new Map(), writes: 0 };
      this.#pages.set(page, code);
      this.#newPages.push(page);
    }
    code.entries.set(offset, parts);
  }

  #drop(code: CodePage, entry: number): void {
    code.entries.delete(entry);
    this.#untranslatable.delete(entry);
    const index = this.#regions.get(entry);
    if (index === undefined) return;
    this.#regions.delete(entry);
    this.#onDrop(entry);
    this.table.set(index, null);
    this.#freeIndices.push(index);
  }

  #dropAll(): void {
    for (const page of [...this.#pages.keys()]) this.written(page * PAGE_SIZE, PAGE_SIZE);
  }
}

/** The parts of the page that blocks were read from; for no block at all, the instruction that could not be translated. */
function partsOf(blocks: readonly Block[], entry: number): PageParts {
  const parts = new PageParts();
  if (blocks.length === 0) parts.add(entry, Math.min(entry + 4, PAGE_SIZE));
  for (const { steps } of blocks) {
    const last = steps.at(-1)!;
    parts.add(steps[0].offset, last.offset + last.decoded.length);
  }
  return parts;
}
