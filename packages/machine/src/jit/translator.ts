/**
 * The JIT: has hot guest code turned into WebAssembly functions and keeps them until the guest writes to their pages.
 * Regions are keyed by where their entries lie in guest memory, so every mapping of a page shares them.
 */
import { MAX_ENTRIES, packTarget } from "../codegen/target-probe.ts";
import { type GuestMemory, PAGE_SIZE } from "../memory.ts";
import { hostPage, type PagePlaces } from "./code-window.ts";
import { PageParts } from "./page-parts.ts";
import { Region } from "./region.ts";
import type { CompiledRegions, RegionCode, RegionOrder, RegionService } from "./region-order.ts";

/** Entries asked for that are ordered without waiting for more: fewer modules cost less memory and less time. */
const BATCH = 16;
/** Calls of `advance` that fewer wait for more. */
const PATIENCE = 4;
/** Entries that may wait to be ordered; while there are as many, others have to be met again, and the hottest come soonest. */
const MOST_PENDING = 64;
/** Regions of one order at most. */
const MOST_ORDERED = 48;
/** Orders that the service may have at once, so that it need not wait for the next. */
const MOST_WAITING = 2;
/** Samples of a region that make it hot. */
const HOT_SAMPLES = 8;
/** What bounds the host's memory. */
export interface CacheLimits {
  /** Regions kept at most; beyond that the oldest are dropped. */
  readonly regions: number;
  /** Table indices that wait for the target caches to be emptied before they are used again. */
  readonly retired: number;
}
const usual: CacheLimits = { regions: 24576, retired: 256 };
/** Which part of the regions is dropped at once: what was compiled together is freed together. */
const EVICTED = 1 / 4;
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
  /**
   * Code of a page, by its number in the wasm memory, has been translated and will be used if it is the same still: stores
   * to it have to be announced from now on.
   */
  reading(page: number): void;
  /** Stands in the table where a region was, and makes whoever calls it look for another. */
  readonly retired: () => void;
  /** There is a region for an entry, by its offset, now: it need not be met again and again before it is looked for. */
  known(offset: number): void;
  /** An entry, by its offset, has another region now, or none: nothing may keep its target. */
  forget(offset: number): void;
  /** No target of a retired index may be left in any cache. */
  forgetAll(): void;
}

export class Translator {
  /** Functions of the regions; index 0 stays empty. */
  readonly table: WebAssembly.Table;
  readonly #memory: GuestMemory;
  readonly #service: RegionService;
  readonly #host: TranslatorHost;
  readonly #limits: CacheLimits;
  readonly #entries = new Map<number, { readonly region: Region; readonly number: number }>();
  readonly #pages = new Map<number, CodePage>();
  /** Offsets asked for, with the pages around them. */
  readonly #pending = new Map<number, PagePlaces>();
  /** Of these, the ones that a region had no room for. */
  readonly #alone = new Set<number>();
  readonly #promoted = new Set<Region>();
  /** Regions of the posts that the service has, oldest first. */
  readonly #posted: Region[][] = [];
  readonly #byIndex: (Region | undefined)[] = [];
  /** Regions from the oldest translation to the newest. */
  readonly #regions = new Set<Region>();
  #waited = 0;
  #nextIndex = 1;
  readonly #freeIndices: number[] = [];
  readonly #retiredIndices: number[] = [];

  /** @param table of functions that `host` calls regions through. */
  constructor(
    memory: GuestMemory,
    table: WebAssembly.Table,
    service: RegionService,
    host: TranslatorHost,
    limits = usual,
  ) {
    this.#memory = memory;
    this.#limits = limits;
    this.table = table;
    this.#service = service;
    this.#host = host;
  }

  /** The packed target of the entry at an offset in the wasm memory, or 0. */
  targetAt(offset: number): number {
    const entry = this.#entries.get(offset);
    return entry?.region.isTranslated ? packTarget(entry.region.index, entry.number) : 0;
  }

  /**
   * Asks for a region with an entry at an offset; it will be there some time after the next `advance`, if not too many wait.
   * @param places where the pages around it are, as fetches see them now.
   */
  request(offset: number, places: PagePlaces): void {
    if (this.#entries.has(offset) || this.#pending.has(offset) || this.#pending.size >= MOST_PENDING) return;
    this.#pending.set(offset, places);
    if (this.#pending.size >= BATCH) this.advance();
  }

  /** A region, by its index, was seen to be entered. One that is seen often is translated again, as a hot one. */
  sample(index: number): void {
    const region = this.#byIndex[index];
    if (region !== undefined && ++region.samples >= HOT_SAMPLES) this.#promote(region);
  }

  /** Has the region that is entered at an offset, if there is one, translated again as a hot one. */
  optimise(offset: number): void {
    const entry = this.#entries.get(offset);
    if (entry !== undefined) this.#promote(entry.region);
  }

  /** Takes what has been translated into use, and orders what was asked for. @param urgent without waiting for more. */
  advance(urgent = false): void {
    this.#takeAll();
    const asked = this.#pending.size + this.#promoted.size;
    if (asked === 0 || (!urgent && asked < BATCH && ++this.#waited < PATIENCE)) return;
    this.#waited = 0;
    while (this.#service.waiting < MOST_WAITING && this.#order()) this.#takeAll();
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

  /** Drops the region that is entered at an offset, if there is one. */
  drop(offset: number): void {
    const entry = this.#entries.get(offset);
    if (entry !== undefined) this.#drop(entry.region);
  }

  dropAll(): void {
    for (const page of [...this.#pages.keys()]) this.written(page * PAGE_SIZE, PAGE_SIZE);
  }

  /** Drops the oldest regions; one that has become hot since the last time is spared once. */
  #evict(): void {
    let left = Math.ceil(this.#regions.size * EVICTED);
    for (const region of this.#regions) {
      if (left-- === 0) return;
      if (region.isHot && !region.isSpared) {
        region.isSpared = true;
        this.#regions.delete(region);
        this.#regions.add(region);
      } else this.#drop(region);
    }
  }

  /** Drops what is not hot: an idle guest does not need it. */
  trim(): void {
    for (const region of this.#regions) if (!region.isHot) this.#drop(region);
    this.#host.forgetAll();
    this.#service.trim();
  }

  #promote(region: Region): void {
    if (region.isHot) return;
    region.isHot = true;
    this.#promoted.add(region);
  }

  /** Orders some of what was asked for; false if there is nothing. */
  #order(): boolean {
    if (this.#regions.size + this.#pending.size > this.#limits.regions) this.#evict();
    const regions = new Set<Region>();
    for (const region of this.#promoted) {
      if (region.isOrdered) continue;
      this.#promoted.delete(region);
      regions.add(region);
    }
    for (const [offset, places] of this.#pending) {
      if (regions.size >= MOST_ORDERED) break;
      const region = this.#regionFor(offset, places);
      if (region === undefined) continue;
      this.#pending.delete(offset);
      regions.add(region);
    }
    if (regions.size === 0) return false;
    const ordered = [...regions];
    this.#posted.push(ordered);
    this.#service.post(ordered.map(orderOf));
    return true;
  }

  /** The region that is to have an entry at an offset, one that contains it or a new one; undefined if it has to wait. */
  #regionFor(offset: number, places: PagePlaces): Region | undefined {
    const home = hostPage(places, 0);
    if (!this.#alone.delete(offset)) {
      for (const region of this.#pages.get(home / PAGE_SIZE)?.regions ?? []) {
        const at = region.find(offset);
        if (at === undefined || region.entries.length + region.wished.size >= MAX_ENTRIES) continue;
        if (region.isOrdered) return undefined;
        region.wish(at, places);
        return region;
      }
    }
    const region = new Region(this.#takeIndex(), places);
    region.wish(offset - home, places);
    this.#byIndex[region.index] = region;
    this.#regions.add(region);
    return region;
  }

  #takeAll(): void {
    for (;;) {
      const answer = this.#service.take();
      if (answer === undefined) return;
      this.#install(this.#posted.shift()!, answer);
    }
  }

  #install(regions: readonly Region[], { module, regions: codes }: CompiledRegions): void {
    // Stores are announced before code is compared with what it was made from: nothing goes unnoticed between.
    for (const [i, region] of regions.entries()) this.#check(region, codes[i]!);
    if (module !== undefined) new WebAssembly.Instance(module, this.#host.imports);
    for (const [i, region] of regions.entries()) {
      if (region.isDropped) this.#retire(region);
      else this.#enter(region, codes[i]!);
    }
  }

  #check(region: Region, code: RegionCode): void {
    region.isOrdered = false;
    if (region.isDropped) return;
    // Its code has been changed by what does not announce it.
    const isLost = region.isTranslated && !code.isTranslated;
    this.#unregister(region);
    region.made(code);
    this.#register(region);
    for (const start of region.pages.keys()) this.#host.reading(start / PAGE_SIZE);
    if (isLost || !region.isCurrent(this.#memory.bytes, code)) this.#forgetRegion(region);
  }

  /** Makes a region's entries known. */
  #enter(region: Region, { refused }: RegionCode): void {
    for (const [number, at] of region.entries.entries()) {
      const offset = region.hostOffset(at);
      if (this.#entries.has(offset)) continue;
      this.#entries.set(offset, { region, number });
      this.#host.known(offset);
    }
    for (const at of refused) {
      const offset = region.hostOffset(at);
      this.#alone.add(offset);
      this.#pending.set(offset, region.ordered.get(at)!);
    }
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
    if (this.#freeIndices.length === 0 && this.#retiredIndices.length > this.#limits.retired) {
      this.#host.forgetAll();
      this.#freeIndices.push(...this.#retiredIndices.splice(0));
    }
    const index = this.#freeIndices.pop() ?? this.#nextIndex++;
    if (index >= this.table.length) this.table.grow(this.table.length);
    return index;
  }

  #drop(region: Region): void {
    this.#forgetRegion(region);
    this.#retire(region);
  }

  /** Takes a region out of everything that leads to it. */
  #forgetRegion(region: Region): void {
    for (const at of region.entries) {
      const offset = region.hostOffset(at);
      if (this.#entries.get(offset)?.region !== region) continue;
      this.#entries.delete(offset);
      this.#host.forget(offset);
    }
    this.#unregister(region);
    this.#promoted.delete(region);
    this.#byIndex[region.index] = undefined;
    this.#regions.delete(region);
    region.isDropped = true;
  }

  /** Gives a dropped region's index back, once no translation is on its way that will use it. */
  #retire(region: Region): void {
    this.table.set(region.index, this.#host.retired);
    if (!region.isOrdered) this.#retiredIndices.push(region.index);
  }
}

/** What a region is to become by its next translation. */
function orderOf(region: Region): RegionOrder {
  const { index, places, entries, isHot } = region;
  region.order();
  const wished = [...region.ordered.keys()];
  return entries.length === 0
    ? { index, places, entries: wished, wished: [], isHot }
    : { index, places, entries, wished, isHot };
}
