/**
 * Compiles regions into a WebAssembly module, from guest memory and their orders alone, so that any thread can do it. Who
 * calls it: the translator, or the thread that works for it.
 */
import { type Harts, RuntimeImports } from "../codegen/runtime-functions.ts";
import { MAX_ENTRIES, REGION_PARAMETERS, REGION_RESULTS } from "../codegen/target-probe.ts";
import { DEPART, ENTER, RESUME } from "../interpreter/run.ts";
import { PAGE_SIZE } from "../memory.ts";
import { ModuleBuilder } from "../wasm/index.ts";
import { CodeWindow, PageCopies } from "./code-window.ts";
import { type Block, callTargets, controlFlow, returnPoints } from "./control-flow.ts";
import { emitRegion } from "./region-emitter.ts";
import type { CompiledRegions, RegionCode, RegionOrder } from "./region-order.ts";

/** Instructions of a region at most, and what each further entry adds: most code runs too seldom to repay a translation. */
const FEW_INSTRUCTIONS = 60;
const ENTRY_INSTRUCTIONS = 16;
/** The same for a hot region: bounds the time of one translation and the size of its function. */
const MOST_INSTRUCTIONS = 400;
/** Instructions of a function that hot code which calls it takes in. */
const MOST_OF_CALLEE = 48;
/** Return points of a region that are entries beside those asked for. */
const MAX_RETURN_POINTS = 64;
/** A region that cannot be translated with all its entries within this is given no more of them. */
const LARGEST = 10_000;

export interface RegionCompilerOptions {
  readonly harts: Harts;
  /** Whether regions are to say where the hart is, for a profile. */
  readonly profile: boolean;
}

export class RegionCompiler {
  readonly #memory: Uint8Array;
  readonly #options: RegionCompilerOptions;

  /** @param memory the guest's whole wasm memory. */
  constructor(memory: Uint8Array, options: RegionCompilerOptions) {
    this.#memory = memory;
    this.#options = options;
  }

  compile(orders: readonly RegionOrder[]): CompiledRegions {
    const { bytes, regions } = this.assemble(orders);
    const isEmpty = regions.every(({ isTranslated }) => !isTranslated);
    return { module: isEmpty ? undefined : new WebAssembly.Module(bytes), regions };
  }

  /** The module's bytes, and what was translated. */
  assemble(orders: readonly RegionOrder[]): { bytes: Uint8Array<ArrayBuffer>; regions: RegionCode[] } {
    const { harts, profile } = this.#options;
    const module = new ModuleBuilder();
    module.importMemory("env", "memory", 1);
    module.importTable("env", "regions");
    const runtime = new RuntimeImports(module, harts);
    const resume = module.importFunction("run", "resume", RESUME.parameters, RESUME.results);
    const enter = module.importFunction("run", "enter", ENTER.parameters, ENTER.results);
    const depart = module.importFunction("run", "depart", DEPART.parameters, DEPART.results);
    const regionType = module.type(REGION_PARAMETERS, REGION_RESULTS);
    const copies = new PageCopies(this.#memory);
    const regions = orders.map((order) => {
      const window = new CodeWindow(order.places, copies);
      const { blocks, entries, refused } = explore(window, order);
      if (blocks.size > 0) {
        const { index, isHot } = order;
        const b = module.function(REGION_PARAMETERS, REGION_RESULTS);
        emitRegion(
          b,
          { runtime, resume, enter, depart, regionType, profile, index, isHot },
          { window, blocks: [...blocks.values()], entries: entries.map((offset) => blocks.get(offset)!) },
        );
        module.element(index, b);
      }
      return regionCode(window, blocks, entries, refused);
    });
    return { bytes: module.finish(), regions };
  }
}

/** Instructions that a region may have. */
const limitOf = (isHot: boolean, entries: number): number =>
  isHot ? MOST_INSTRUCTIONS : FEW_INSTRUCTIONS + ENTRY_INSTRUCTIONS * (entries - 1);

/** The blocks of a region, and the entries that they allow. */
function explore(window: CodeWindow, { entries: known, wished, isHot }: RegionOrder) {
  const entries = [...known];
  const refused: number[] = [];
  const isWhole = (blocks: ReadonlyMap<number, Block>, offsets: readonly number[]): boolean =>
    offsets.every((offset) => blocks.has(offset));
  let limit = limitOf(isHot, entries.length);
  let blocks = controlFlow(window, entries, limit);
  // Entries that callers know have to stay.
  for (; entries.length > 1 && limit < LARGEST && !isWhole(blocks, entries); limit *= 2) {
    blocks = controlFlow(window, entries, 2 * limit);
  }
  // The guest may have changed the code since they were entered.
  if (!isWhole(blocks, entries)) return { blocks: new Map<number, Block>(), entries, refused: [...wished] };
  for (const offset of wished) {
    const more = [...entries, offset];
    const larger = controlFlow(window, more, limitOf(isHot, more.length));
    if (more.length > MAX_ENTRIES || !isWhole(larger, more)) {
      refused.push(offset);
      continue;
    }
    entries.push(offset);
    blocks = larger;
  }
  const add = (offset: number): void => {
    if (!entries.includes(offset) && entries.length < MAX_RETURN_POINTS) entries.push(offset);
  };
  for (const offset of returnPoints(blocks)) add(offset);
  if (isHot) {
    const callees = withCallees(window, blocks, entries);
    blocks = callees.blocks;
    for (const offset of callees.found) add(offset);
    for (const offset of returnPoints(blocks)) add(offset);
  }
  return { blocks, entries, refused };
}

/** Code that runs through in no time: V8 keeps loops in registers better where they have a function of their own. */
const isShort = (blocks: readonly Block[]): boolean =>
  blocks.reduce((sum, { steps }) => sum + steps.length, 0) <= MOST_OF_CALLEE &&
  blocks.every(({ offset, edges }) => edges.every((edge) => !("block" in edge) || edge.block.offset > offset));

/** The blocks of a hot region and of the short functions that it calls: calls within a function cost half of others. */
function withCallees(window: CodeWindow, own: ReadonlyMap<number, Block>, entries: readonly number[]) {
  let blocks = own;
  const found = new Set<number>();
  const refused = new Set<number>(entries);
  for (;;) {
    const next = callTargets(blocks).find((offset) => !found.has(offset) && !refused.has(offset));
    if (next === undefined) return { blocks, found };
    const larger = controlFlow(window, [...entries, ...found, next], MOST_INSTRUCTIONS);
    const added = [...larger.values()].filter(({ offset }) => !blocks.has(offset));
    const isTaken = larger.size === blocks.size + added.length && larger.has(next) && isShort(added);
    if (isTaken) blocks = larger;
    (isTaken ? found : refused).add(next);
  }
}

function regionCode(
  window: CodeWindow,
  blocks: ReadonlyMap<number, Block>,
  entries: readonly number[],
  refused: readonly number[],
): RegionCode {
  const isTranslated = blocks.size > 0;
  const ranges: number[] = [];
  for (const { offset, steps } of blocks.values()) {
    const last = steps.at(-1)!;
    ranges.push(offset, last.offset + last.decoded.length);
  }
  // Where nothing could be translated, another instruction may come to be.
  if (!isTranslated) ranges.push(entries[0]!, Math.min(entries[0]! + 4, PAGE_SIZE));
  return { entries, refused, isTranslated, ranges: Int32Array.from(ranges), bytes: bytesOf(window, ranges) };
}

function bytesOf(window: CodeWindow, ranges: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    for (let offset = ranges[i]!; offset < ranges[i + 1]!; offset += 2) {
      const parcel = window.parcel(offset);
      bytes.push(parcel & 0xff, parcel >> 8);
    }
  }
  return Uint8Array.from(bytes);
}
