/**
 * The processor that executes guest code by the interpreter and the JIT, over the call-outs of its harts. Who calls it:
 * the machine's loop.
 */
import { decode } from "@bulkhead/isa";
import { hartsOf } from "./codegen/runtime-functions.ts";
import { runtimeModule } from "./codegen/runtime-module.ts";
import { floatFunctions } from "./float/index.ts";
import type { HartCallouts } from "./hart/callouts.ts";
import {
  DecodeEntry,
  HartState,
  hartBase,
  hartIndex,
  JUMP_ENTRIES,
  JumpEntry,
  MEETING_BYTES,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TlbTag,
} from "./hart/layout.ts";
import { forgetTargets, hartArea } from "./hart/state.ts";
import { FIRST_HANDLER, ILLEGAL_HANDLER, interpreterModule } from "./interpreter/interpreter-module.ts";
import { type PagePlaces, PLACES, REACH } from "./jit/code-window.ts";
import { LocalService } from "./jit/local-service.ts";
import { RegionCompiler } from "./jit/region-compiler.ts";
import type { RegionService } from "./jit/region-order.ts";
import type { TargetChooser } from "./jit/target-choice.ts";
import { type CacheLimits, Translator, type TranslatorHost } from "./jit/translator.ts";
import { type GuestMemory, PAGE_SIZE, RAM_BASE } from "./memory.ts";
import type { Processor } from "./processor.ts";
import { Activity, ActivityWord } from "./profile/activity.ts";
import { profiledCallouts } from "./profile/callout-module.ts";

/** A hart as the processor needs it. */
export interface ProcessorHart extends HartCallouts {
  /** Takes the write permission for a page (physical address / 4096) out of the TLB. */
  dropWriteTags(page: number): void;
}

/**
 * How often a jump target is met before it is translated, or who decides instead. `never` leaves all to the interpreter, 0
 * translates at once.
 */
export type JitThreshold = number | "never" | TargetChooser;

export interface TranslatingOptions {
  readonly threshold?: JitThreshold;
  /** Keep `HartState.activity`. */
  readonly profile?: boolean;
  /** Index of the first of the harts: they lie at `hartBase(first)` and behind it. Others are other processors' business. */
  readonly first?: number;
  /** What compiles regions; without it that happens on this thread, while the guest waits. */
  readonly service?: RegionService;
  readonly limits?: CacheLimits;
}

/** Meetings before a translation: fewer where the guest does not wait for it. */
const THRESHOLD = { here: 500, elsewhere: 100 };
/** Meetings after which a target whose region is not there yet is looked for again. */
const PATIENCE = 100;

export class TranslatingProcessor implements Processor {
  readonly #memory: GuestMemory;
  readonly #harts: readonly ProcessorHart[];
  readonly #first: number;
  readonly #translator: Translator;
  readonly #run: (hart: number) => void;
  readonly #threshold: number;
  readonly #choose: TargetChooser | undefined;
  /** Physical page number of offset 0 in the wasm memory. */
  readonly #firstPage: number;
  /** By hart, while a profile is taken. */
  readonly #activities: readonly ActivityWord[];

  constructor(memory: GuestMemory, harts: readonly ProcessorHart[], options: TranslatingOptions = {}) {
    const { profile = false, first = 0, limits, service = localService(memory, profile) } = options;
    const { threshold = options.service === undefined ? THRESHOLD.here : THRESHOLD.elsewhere } = options;
    this.#memory = memory;
    this.#harts = harts;
    this.#first = first;
    this.#firstPage = (RAM_BASE - memory.ramOffset) / PAGE_SIZE;
    const regions = new WebAssembly.Table({ initial: 1024, element: "anyfunc" });
    const env = { memory: memory.wasm, regions };
    this.#activities = profile ? harts.map((_, index) => new ActivityWord(memory, first + index)) : [];
    const hart = calloutImports(harts, first);
    const plain = new WebAssembly.Instance(
      compiled(`runtime ${hartsOf(memory)} ${memory.pages === undefined}`, () =>
        runtimeModule(hartsOf(memory), memory.pages !== undefined),
      ),
      { env, hart },
    ).exports as WebAssembly.ModuleImports;
    const runtime = profile ? { ...plain, ...profiledCallouts(memory.wasm, plain) } : plain;
    const imports = { env, hart, runtime, float: floatFunctions(memory.wasm) };
    this.#choose = typeof threshold === "function" ? threshold : undefined;
    const key = typeof threshold === "function" ? 0 : threshold;
    this.#threshold = key === "never" ? 0 : key;
    const dispatch = {
      decode: (word: number, entry: number) => this.#decode(word, entry),
      miss: (base: number, pc: bigint, offset: number) => this.#miss(base, pc, offset >>> 0, key === 0),
      sample: (region: number) => this.#translator.sample(region),
    };
    const interpreter = new WebAssembly.Instance(
      compiled(`interpreter ${key} ${profile}`, () => interpreterModule(key, profile)),
      { ...imports, dispatch },
    );
    const run = interpreter.exports as { run(hart: number): void; retired(): void };
    this.#run = run.run;
    const host: TranslatorHost = {
      imports: { ...imports, run: interpreter.exports },
      retired: run.retired,
      reading: (page) => this.#reading(page),
      known: (offset) => this.#known(offset),
      forget: (offset) => this.#forget(offset),
      forgetAll: () => this.#forgetAll(),
    };
    this.#translator = new Translator(memory, regions, service, host, limits);
  }

  /** Runs a hart until `HartState.signal` is set or its budget has ended. */
  run(hart: number): void {
    this.#whileCompiling(hart, () => this.#translator.advance());
    if (this.#choose?.() === "forget") this.#forgetAll();
    this.#run(hartBase(hart));
  }

  /** Translated code is dropped when its page is written, so there is nothing left to do. */
  codeChanged(): void {}

  isCodePage(page: number): boolean {
    return this.#translator.isCodePage(page - this.#firstPage);
  }

  written(address: number, length: number): void {
    const offset = this.#memory.placeOf(address, length);
    if (offset >= 0) this.#translator.written(offset, length);
  }

  trim(): void {
    this.#translator.trim();
  }

  #decode(word: number, entry: number): void {
    const { view } = this.#memory;
    const decoded = decode(word);
    view.setInt32(entry + DecodeEntry.word, word, true);
    view.setUint16(entry + DecodeEntry.handler, decoded ? FIRST_HANDLER + decoded.index : ILLEGAL_HANDLER, true);
    if (decoded === undefined) return;
    view.setInt32(entry + DecodeEntry.imm, decoded.imm, true);
    view.setUint8(entry + DecodeEntry.rd, decoded.rd * 8);
    view.setUint8(entry + DecodeEntry.rs1, decoded.rs1 * 8);
    view.setUint8(entry + DecodeEntry.rs2, decoded.rs2 * 8);
    view.setUint8(entry + DecodeEntry.rs3, decoded.rs3 * 8);
    view.setUint8(entry + DecodeEntry.rm, decoded.rm);
    view.setUint8(entry + DecodeEntry.length, decoded.length);
  }

  /** A jump target that the jump cache does not know, and that is hot: finds or asks for its region. */
  #miss(base: number, pc: bigint, offset: number, atOnce: boolean): number {
    if (this.#choose !== undefined && !this.#isChosen(this.#choose, offset)) return 0;
    let target = this.#translator.targetAt(offset);
    if (target === 0) {
      this.#whileCompiling(hartIndex(base), () => {
        this.#translator.request(offset, this.#placesAround(base, pc));
        if (atOnce) this.#translator.advance(true);
      });
      target = this.#translator.targetAt(offset);
    }
    const { view } = this.#memory;
    const entry = jumpEntry(base, offset);
    view.setInt32(entry + JumpEntry.offset, offset, true);
    view.setInt32(entry + JumpEntry.region, target, true);
    if (target === 0) view.setUint16(meetings(base, offset), Math.max(this.#threshold - PATIENCE, 0), true);
    return target;
  }

  /** Does with the region at an offset what has been chosen. Whether it is to be entered, once it is there. */
  #isChosen(choose: TargetChooser, offset: number): boolean {
    const choice = choose();
    if (choice === "optimise") this.#translator.optimise(offset);
    else if (choice === "drop") this.#translator.drop(offset);
    else if (choice === "dropAll") this.#translator.dropAll();
    else if (choice === "forget") this.#forgetAll();
    return choice === "translate" || choice === "optimise";
  }

  #whileCompiling(hart: number, work: () => void): void {
    const activity = this.#activities[hart - this.#first];
    if (activity === undefined) work();
    else activity.during(Activity.compile, work);
  }

  /** Where instruction fetches of a hart find the pages around a pc now. */
  #placesAround(base: number, pc: bigint): PagePlaces {
    const { view } = this.#memory;
    const bank = view.getInt32(base + HartState.fetchTlb, true);
    const home = Number(BigInt.asUintN(32, pc & -4096n));
    const high = Number(BigInt.asIntN(32, pc >> 32n));
    const places = new Uint32Array(PLACES);
    for (let page = -REACH; page <= REACH; page++) {
      const address = home + page * PAGE_SIZE;
      // Not worth knowing: the upper half of the address would be another.
      if (address < 0 || address >= 2 ** 32) continue;
      const low = address | 0;
      const entry = bank + ((low >>> 12) % TLB_ENTRIES) * TLB_ENTRY_BYTES;
      const tag = entry + TlbTag.execute;
      if (view.getInt32(tag, true) !== low || view.getInt32(tag + 4, true) !== high) continue;
      places[page + REACH] = low + view.getInt32(tag + TLB_ADDEND, true);
    }
    return places;
  }

  /** Code of a page (number in the wasm memory) has been read: makes stores to it take the slow path, on every hart. */
  #reading(page: number): void {
    const physical = page + this.#firstPage;
    if (!this.#memory.codeMap.add(physical)) return;
    for (const hart of this.#harts) hart.dropWriteTags(physical);
    this.#memory.onTranslate?.(physical);
  }

  /** Has `miss` asked for the region of an entry, by its offset, at the next meeting. */
  #known(offset: number): void {
    for (let hart = 0; hart < this.#harts.length; hart++) {
      this.#memory.view.setUint16(meetings(hartBase(this.#first + hart), offset), this.#threshold, true);
    }
  }

  /** Takes the target of an entry, by its offset, out of the jump caches; other code there has to become hot anew. */
  #forget(offset: number): void {
    const { view } = this.#memory;
    for (let hart = 0; hart < this.#harts.length; hart++) {
      const base = hartBase(this.#first + hart);
      const entry = jumpEntry(base, offset);
      if (view.getInt32(entry + JumpEntry.offset, true) === (offset | 0))
        view.setInt32(entry + JumpEntry.region, 0, true);
      view.setUint16(meetings(base, offset), 0, true);
    }
  }

  #forgetAll(): void {
    for (let hart = 0; hart < this.#harts.length; hart++) {
      forgetTargets(hartArea(this.#memory, this.#first + hart).words);
    }
  }
}

/** Where in the wasm memory the jump-cache entry of an offset is, and its count of meetings. */
const jumpEntry = (base: number, offset: number): number =>
  base + HartState.jumps + ((offset >>> 1) % JUMP_ENTRIES) * JumpEntry.bytes;
const meetings = (base: number, offset: number): number => base + HartState.meetings + (offset % MEETING_BYTES);

const localService = (memory: GuestMemory, profile: boolean): RegionService =>
  new LocalService(new RegionCompiler(memory.bytes, { harts: hartsOf(memory), profile }));

/** Modules by name: the same for every machine of a process. */
const modules = new Map<string, WebAssembly.Module>();

function compiled(name: string, bytes: () => Uint8Array<ArrayBuffer>): WebAssembly.Module {
  let module = modules.get(name);
  if (module === undefined) {
    module = new WebAssembly.Module(bytes());
    modules.set(name, module);
  }
  return module;
}

/** The call-outs as functions whose first parameter says which hart; written out so that V8 can inline them. */
function calloutImports(harts: readonly ProcessorHart[], first: number) {
  const at = (base: number): ProcessorHart => harts[hartIndex(base) - first];
  const imports: {
    [Name in keyof HartCallouts]: (base: number, ...operands: Parameters<HartCallouts[Name]>) => unknown;
  } = {
    load: (base, address, logBytes) => at(base).load(address, logBytes),
    store: (base, address, logBytes, value) => at(base).store(address, logBytes, value),
    atomicAddress: (base, address, logBytes, write) => at(base).atomicAddress(address, logBytes, write),
    fetch: (base, address) => at(base).fetch(address),
    csr: (base, number, operation, suppress, value) => at(base).csr(number, operation, suppress, value),
    system: (base, operation, a, b) => at(base).system(operation, a, b),
  };
  return imports as unknown as WebAssembly.ModuleImports;
}
