/**
 * The JIT: turns hot guest code into WebAssembly functions and keeps them until the guest writes to their pages.
 * Regions are keyed by where their entries lie in guest memory, so every mapping of a page shares them.
 */
import { hartsOf, RuntimeImports } from "../codegen/runtime-functions.ts";
import { MAX_ENTRIES, packTarget, REGION_PARAMETERS, REGION_RESULTS } from "../codegen/target-probe.ts";
import { DEPART, INVOKE, RESUME } from "../interpreter/run.ts";
import { type GuestMemory, PAGE_SIZE } from "../memory.ts";
import { ModuleBuilder } from "../wasm/index.ts";
import { CodeWindow, type PageResolver } from "./code-window.ts";
import { type Block, controlFlow, returnPoints } from "./control-flow.ts";
import { PageParts } from "./page-parts.ts";
import { Region } from "./region.ts";
import { emitRegion } from "./region-emitter.ts";

/** Entries asked for that are compiled into one module: fewer modules cost less memory and less time. */
const BATCH = 16;
/** Instructions of a region at most, and what each further entry adds: most code runs too seldom to repay a translation. */
const FEW_INSTRUCTIONS = 60;
const ENTRY_INSTRUCTIONS = 16;
/** The same for a hot region: bounds the time of one translation and the size of its function. */
const MOST_INSTRUCTIONS = 400;
/** Return points of a region that are entries beside those asked for. */
const MAX_RETURN_POINTS = 64;
/** A region that cannot be translated with all its entries within this is given no more of them. */
const LARGEST = 10_000;
/** Samples of a region that make it hot. */
const HOT_SAMPLES = 8;
/** Regions kept at most; beyond that all are dropped, which bounds the host's memory. */
const MAX_REGIONS = 16384;
/** Table indices that wait for the target caches to be emptied before they are used again. */
const MAX_RETIRED = 256;
/** Stores next to a page's code after which the page is given up: it holds data too, and slow stores cost more. */
const MAX_WRITES = 512;

/** A page that code was translated from. */
interface CodePage {
  readonly regions: Set<Region>;
  writes: number;
}

/** What the translator needs of the processor that executes its regions. */
export interface TranslatorHost {
  readonly imports: WebAssembly.Imports;
  /** Whether regions are to say where the hart is, for a profile. */
  readonly profile: boolean;
  /**
   * Code of a page, by its number in the wasm memory, is about to be translated: stores to it have to be announced from
   * now on. True if it has to be read again, because others may have written it in the meantime.
   */
  reading(page: number): boolean;
  /** Stands in the table where a region was, and makes whoever calls it look for another. */
  readonly retired: () => void;
  /** An entry, by its offset, has another region now, or none: nothing may keep its target. */
  forget(offset: number): void;
  /** No target of a retired index may be left in any cache. */
  forgetAll(): void;
}

export class Translator {
  /** Functions of the regions; index 0 stays empty. */
  readonly table: WebAssembly.Table;
  readonly #memory: GuestMemory;
  readonly #host: TranslatorHost;
  readonly #entries = new Map<number, { readonly region: Region; readonly number: number }>();
  readonly #pages = new Map<number, CodePage>();
  readonly #pending = new Map<number, PageResolver>();
  readonly #promoted = new Set<Region>();
  readonly #byIndex: (Region | undefined)[] = [];
  #regionCount = 0;
  #nextIndex = 1;
  readonly #freeIndices: number[] = [];
  readonly #retiredIndices: number[] = [];

  /** @param table of functions that `host` calls regions through. */
  constructor(memory: GuestMemory, table: WebAssembly.Table, host: TranslatorHost) {
    this.#memory = memory;
    this.table = table;
    this.#host = host;
  }

  /** The packed target of the entry at an offset in the wasm memory, or 0. */
  targetAt(offset: number): number {
    const entry = this.#entries.get(offset);
    return entry === undefined || entry.region.index === 0 ? 0 : packTarget(entry.region.index, entry.number);
  }

  /**
   * Asks for a region with an entry at an offset; it is there at the latest after the next `compile`.
   * @param resolve where the pages around it are, as fetches see them now.
   */
  request(offset: number, resolve: PageResolver): void {
    if (this.#entries.has(offset)) return;
    this.#pending.set(offset, resolve);
    if (this.#pending.size >= BATCH) this.compile();
  }

  /** A region, by its index, was seen to call or to depart. One that is seen often is translated again, as a hot one. */
  sample(index: number): void {
    const region = this.#byIndex[index];
    if (region === undefined || region.isHot || ++region.samples < HOT_SAMPLES) return;
    region.isHot = true;
    this.#promoted.add(region);
  }

  /** Compiles what was asked for. */
  compile(): void {
    if (this.#pending.size + this.#promoted.size === 0) return;
    if (this.#regionCount + this.#pending.size > MAX_REGIONS) this.#dropAll();
    const changed = new Set(this.#promoted);
    this.#promoted.clear();
    for (const [offset, resolve] of this.#pending) changed.add(this.#addEntry(offset, resolve));
    this.#pending.clear();
    this.#translate(changed);
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
      const all = ++code.writes > MAX_WRITES;
      for (const region of code.regions) {
        if (all || region.pages.get(start)?.overlaps(written)) this.#drop(region);
      }
    }
  }

  /** Gives the region that contains an offset an entry there, if there is room, or makes a new one. */
  #addEntry(offset: number, resolve: PageResolver): Region {
    const known = this.#entries.get(offset)?.region;
    if (known !== undefined) return known;
    const home = offset - (offset % PAGE_SIZE);
    for (const region of this.#pages.get(home / PAGE_SIZE)?.regions ?? []) {
      const at = region.find(offset);
      if (at === undefined || region.entries.length === MAX_ENTRIES) continue;
      const entries = [...region.entries, at];
      const blocks = controlFlow(region.window, entries, limitOf(region, entries.length));
      if (!entries.every((entry) => blocks.has(entry))) continue;
      this.#enter(region, at);
      return region;
    }
    const region = new Region(new CodeWindow(this.#memory, home, resolve));
    this.#regionCount++;
    this.#enter(region, offset - home);
    return region;
  }

  #enter(region: Region, at: number): void {
    this.#entries.set(region.window.hostOffset(at), { region, number: region.entries.push(at) - 1 });
  }

  #translate(regions: Set<Region>): void {
    const module = new ModuleBuilder();
    module.importMemory("env", "memory", 1);
    module.importTable("env", "regions");
    const runtime = new RuntimeImports(module, hartsOf(this.#memory));
    const resume = module.importFunction("run", "resume", RESUME.parameters, RESUME.results);
    const invoke = module.importFunction("run", "invoke", INVOKE.parameters, INVOKE.results);
    const depart = module.importFunction("run", "depart", DEPART.parameters, DEPART.results);
    const regionType = module.type(REGION_PARAMETERS, REGION_RESULTS);
    let translated = false;
    for (const region of regions) {
      this.#unregister(region);
      const blocks = this.#read(region);
      this.#register(region);
      if (blocks.size === 0) continue;
      const entries = region.entries.map((offset) => blocks.get(offset)!);
      const code = { window: region.window, blocks: [...blocks.values()], entries };
      const b = module.function(REGION_PARAMETERS, REGION_RESULTS);
      if (region.index === 0) region.index = this.#takeIndex();
      this.#byIndex[region.index] = region;
      const { index, isHot } = region;
      const { profile } = this.#host;
      emitRegion(b, { runtime, resume, invoke, depart, regionType, profile, index, isHot }, code);
      module.element(region.index, b);
      translated = true;
    }
    if (translated) new WebAssembly.Instance(new WebAssembly.Module(module.finish()), this.#host.imports);
  }

  /** Reads a region's code, after stores to its pages have been made to be announced. */
  #read(region: Region): ReadonlyMap<number, Block> {
    for (;;) {
      const blocks = this.#explore(region);
      region.made([...blocks.values()]);
      let again = false;
      for (const start of region.pages.keys()) if (this.#host.reading(start / PAGE_SIZE)) again = true;
      if (!again) return blocks;
    }
  }

  /** The blocks of a region, which give it the entries that come for nothing. */
  #explore(region: Region): ReadonlyMap<number, Block> {
    const { window, entries } = region;
    let limit = limitOf(region, entries.length);
    let blocks = controlFlow(window, entries, limit);
    // Entries that callers know have to stay.
    for (; entries.length > 1 && limit < LARGEST && !entries.every((entry) => blocks.has(entry)); limit *= 2) {
      blocks = controlFlow(window, entries, 2 * limit);
    }
    for (const offset of returnPoints(blocks)) {
      if (entries.includes(offset) || entries.length >= MAX_RETURN_POINTS) continue;
      const isTaken = this.#entries.has(window.hostOffset(offset));
      if (isTaken) entries.push(offset);
      else this.#enter(region, offset);
    }
    return blocks;
  }

  #register(region: Region): void {
    for (const start of region.pages.keys()) {
      const page = start / PAGE_SIZE;
      let code = this.#pages.get(page);
      if (code === undefined) {
        code = { regions: new Set(), writes: 0 };
        this.#pages.set(page, code);
      }
      code.regions.add(region);
    }
  }

  #unregister(region: Region): void {
    for (const start of region.pages.keys()) {
      const code = this.#pages.get(start / PAGE_SIZE);
      code?.regions.delete(region);
      if (code?.regions.size === 0) this.#pages.delete(start / PAGE_SIZE);
    }
  }

  #takeIndex(): number {
    if (this.#freeIndices.length === 0 && this.#retiredIndices.length > MAX_RETIRED) {
      this.#host.forgetAll();
      this.#freeIndices.push(...this.#retiredIndices.splice(0));
    }
    const index = this.#freeIndices.pop() ?? this.#nextIndex++;
    if (index >= this.table.length) this.table.grow(this.table.length);
    return index;
  }

  #drop(region: Region): void {
    for (const offset of region.hostEntries) {
      if (this.#entries.get(offset)?.region !== region) continue;
      this.#entries.delete(offset);
      this.#host.forget(offset);
    }
    this.#unregister(region);
    this.#regionCount--;
    if (region.index === 0) return;
    this.#promoted.delete(region);
    this.#byIndex[region.index] = undefined;
    this.table.set(region.index, this.#host.retired);
    this.#retiredIndices.push(region.index);
  }

  #dropAll(): void {
    for (const page of [...this.#pages.keys()]) this.written(page * PAGE_SIZE, PAGE_SIZE);
  }
}

/** Instructions that a region may have. */
const limitOf = ({ isHot }: Region, entries: number): number =>
  isHot ? MOST_INSTRUCTIONS : FEW_INSTRUCTIONS + ENTRY_INSTRUCTIONS * (entries - 1);
