/**
 * The control-flow graph of a region: the basic blocks reachable from an entry within one page of guest memory.
 * Offsets are bytes within the page. Who calls it: the translator.
 */
import { type Decoded, decode, flowOf, isCompressed } from "@bulkhead/isa";

/** Bounds the time of one translation and the size of its function. */
const MAX_INSTRUCTIONS = 400;
const PAGE_SIZE = 4096;

export interface Step {
  readonly offset: number;
  readonly decoded: Decoded;
}

/** Where a block goes: to a block of the region, or out of it to an offset from the page's start. */
export type Edge = { readonly block: Block } | { readonly exit: number };

export interface Block {
  readonly offset: number;
  readonly steps: readonly Step[];
  /** Edges behind the last step: none if it leaves by itself, `[next]`, or `[taken, next]` behind a branch. */
  edges: readonly Edge[];
}

/** The blocks in the order found, the entry first; empty if the first instruction cannot be translated. */
export function controlFlow(page: DataView, entry: number): readonly Block[] {
  const { steps, leaders } = explore(page, entry);
  if (!steps.has(entry)) return [];
  const blocks = new Map<number, Block>();
  for (const leader of leaders) {
    if (steps.has(leader)) blocks.set(leader, { offset: leader, steps: run(steps, leaders, leader), edges: [] });
  }
  for (const block of blocks.values()) {
    block.edges = successors(block.steps.at(-1)!).map((offset) => {
      const target = blocks.get(offset);
      return target === undefined ? { exit: offset } : { block: target };
    });
  }
  return [...blocks.values()];
}

/** Walks from the entry along every edge within the page; leaders are the entry and all targets of edges. */
function explore(page: DataView, entry: number): { steps: Map<number, Step>; leaders: Set<number> } {
  const steps = new Map<number, Step>();
  const leaders = new Set([entry]);
  const pending = [entry];
  for (let leader = pending.shift(); leader !== undefined; leader = pending.shift()) {
    for (let offset = leader; !steps.has(offset) && steps.size < MAX_INSTRUCTIONS; ) {
      const decoded = decodeAt(page, offset);
      if (decoded === undefined) break;
      const step = { offset, decoded };
      steps.set(offset, step);
      const flow = flowOf(decoded.instruction);
      if (flow !== "next") {
        for (const target of successors(step)) {
          if (target >= 0 && target < PAGE_SIZE && !leaders.has(target)) {
            leaders.add(target);
            pending.push(target);
          }
        }
        break;
      }
      offset += decoded.length;
    }
  }
  return { steps, leaders };
}

/** Instructions that only the interpreter executes: they work on registers in memory. */
const untranslated = new Set(["amocas.q"]);

function decodeAt(page: DataView, offset: number): Decoded | undefined {
  if (offset + 2 > PAGE_SIZE) return undefined;
  const half = page.getUint16(offset, true);
  if (!isCompressed(half) && offset + 4 > PAGE_SIZE) return undefined;
  const decoded = decode(isCompressed(half) ? half : page.getUint32(offset, true));
  return decoded === undefined || untranslated.has(decoded.instruction.name) ? undefined : decoded;
}

/** The steps from a leader to the first that ends a block. */
function run(steps: Map<number, Step>, leaders: Set<number>, leader: number): Step[] {
  const block: Step[] = [];
  for (let step = steps.get(leader); step !== undefined; ) {
    block.push(step);
    const next = step.offset + step.decoded.length;
    if (flowOf(step.decoded.instruction) !== "next" || leaders.has(next)) break;
    step = steps.get(next);
  }
  return block;
}

function successors({ offset, decoded }: Step): number[] {
  const next = offset + decoded.length;
  switch (flowOf(decoded.instruction)) {
    case "indirect":
      return [];
    case "jump":
      return [offset + decoded.imm];
    case "branch":
      return [offset + decoded.imm, next];
    default:
      return [next];
  }
}
