/**
 * Which guest registers a region has to load and to store, and where: at its entries and behind calls all registers are in
 * the hart's state, in between they are locals. Who calls it: the region emitter.
 */
import type { Block, Step } from "./control-flow.ts";
import { ALL, bitCount, both, EMPTY, intersects, minus, type RegisterSet, same, union } from "./register-set.ts";

/** In the `x` of a set of what a block needs: the data TLB's offset. */
export const DATA_TLB = 1;

/** Blocks that control flows between without a call: they share the code that leaves the region. */
export interface Segment {
  /** Registers that the blocks keep in locals, and so those that leaving stores. */
  kept: RegisterSet;
  /** Registers that the blocks write to the hart's state at once. */
  through: RegisterSet;
}

/** Behind a call that nothing of the region follows. */
export const CLEAN: Segment = { kept: EMPTY, through: EMPTY };

export interface BlockRegisters {
  /** Registers whose locals may be newer than the hart's state when the block begins. */
  dirtyIn: RegisterSet;
  /** The same when it ends. */
  dirtyOut: RegisterSet;
  /** Registers that are read before they are written from here on. */
  needed: RegisterSet;
  segment: Segment;
}

/** Registers whose locals must be right when a block begins. */
export const liveIn = ({ needed, segment }: BlockRegisters): RegisterSet => union(needed, segment.kept);

/** What has to be done to locals where control goes from one segment to another. */
export const crossing = (from: BlockRegisters, to: BlockRegisters): { store: RegisterSet; load: RegisterSet } => ({
  store: minus(from.dirtyOut, to.segment.kept),
  load: minus(to.segment.kept, union(to.needed, from.segment.kept)),
});

interface Flow extends BlockRegisters {
  readonly reads: RegisterSet;
  readonly writes: RegisterSet;
  readonly successors: readonly Flow[];
  readonly isCall: boolean;
}

/** @param loops see `innermostLoops`. */
export function registersOf(
  blocks: readonly Block[],
  loops: readonly (readonly Block[])[],
): ReadonlyMap<Block, BlockRegisters> {
  const flows = new Map<Block, Flow & { successors: Flow[] }>();
  for (const block of blocks) {
    flows.set(block, {
      ...effects(block),
      isCall: block.ending === "call",
      successors: [],
      dirtyIn: EMPTY,
      dirtyOut: EMPTY,
      needed: EMPTY,
      segment: { kept: EMPTY, through: EMPTY },
    });
  }
  for (const [{ edges }, flow] of flows) {
    for (const edge of edges) if ("block" in edge) flow.successors.push(flows.get(edge.block)!);
  }
  const all = [...flows.values()];
  untilStable(all.toReversed(), (flow) => {
    const needed = union(flow.reads, minus(neededBehind(flow), flow.writes));
    if (same(needed, flow.needed)) return false;
    flow.needed = needed;
    return true;
  });
  joinSegments(all);
  separateLoops(flows, loops);
  untilStable(all, (flow) => {
    const { segment } = flow;
    flow.dirtyOut = flow.isCall ? EMPTY : union(flow.dirtyIn, minus(flow.writes, segment.through));
    let changed = false;
    for (const next of flow.isCall ? [] : flow.successors) {
      const isEntered = next.segment !== segment && intersects(ALL, next.segment.through);
      const dirty = union(next.dirtyIn, isEntered ? both(flow.dirtyOut, next.segment.kept) : flow.dirtyOut);
      if (same(dirty, next.dirtyIn)) continue;
      next.dirtyIn = dirty;
      changed = true;
    }
    return changed;
  });
  for (const { segment, dirtyIn } of all) segment.kept = union(segment.kept, dirtyIn);
  return flows;
}

/** Registers that are needed behind a block; behind a call everything is loaded again. */
const neededBehind = ({ isCall, successors }: Flow): RegisterSet =>
  isCall ? EMPTY : successors.reduce((needed, next) => union(needed, next.needed), EMPTY);

/**
 * More registers than this in a loop do not fit the host's. What would be kept in locals for nothing but leaving takes the
 * place of what the loop works on then, so such loops are segments of their own that write it through.
 */
const MOST_IN_LOOP = 18;

function separateLoops(flows: ReadonlyMap<Block, Flow>, loops: readonly (readonly Block[])[]): void {
  for (const loop of loops) {
    const members = loop.map((block) => flows.get(block)!);
    let [kept, used, written] = [EMPTY, EMPTY, EMPTY];
    for (const flow of members) {
      used = union(used, union(flow.reads, flow.writes));
      written = union(written, flow.writes);
      kept = union(kept, both(flow.writes, neededBehind(flow)));
    }
    if (bitCount(used) <= MOST_IN_LOOP || same(kept, written)) continue;
    // Whichever blocks are taken for the loop's, crossings make it right.
    const own = { kept, through: minus(written, kept) };
    for (const flow of members) flow.segment = own;
  }
}

/** For each instruction, the registers that later ones of the block write before control can leave or go on. */
export function overwritten(steps: readonly Step[]): RegisterSet[] {
  const sets: RegisterSet[] = [];
  let later = EMPTY;
  for (let i = steps.length - 1; i >= 0; i--) {
    const { traits, writes } = steps[i]!;
    sets[i] = traits.mayTrap ? EMPTY : later;
    later = traits.mayTrap ? EMPTY : union(later, writes);
  }
  return sets;
}

function joinSegments(flows: readonly Flow[]): void {
  const joined = new Set<Flow>();
  const neighbours = new Map<Flow, Flow[]>(flows.map((flow) => [flow, []]));
  for (const flow of flows) {
    for (const next of flow.isCall ? [] : flow.successors) {
      neighbours.get(flow)!.push(next);
      neighbours.get(next)!.push(flow);
    }
  }
  for (const first of flows) {
    if (joined.has(first)) continue;
    const { segment } = first;
    const members = [first];
    joined.add(first);
    for (const member of members) {
      member.segment = segment;
      segment.kept = union(segment.kept, member.writes);
      for (const next of neighbours.get(member)!) {
        if (joined.has(next)) continue;
        joined.add(next);
        members.push(next);
      }
    }
  }
}

function untilStable(flows: readonly Flow[], visit: (flow: Flow) => boolean): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const flow of flows) if (visit(flow)) changed = true;
  }
}

/** What a block reads before it writes it, and what it writes. */
function effects({ steps }: Block): { reads: RegisterSet; writes: RegisterSet } {
  let [readX, readF, writtenX, writtenF] = [0, 0, 0, 0];
  for (const { traits, reads, writes } of steps) {
    readX |= (traits.usesMemory ? reads.x | DATA_TLB : reads.x) & ~writtenX;
    readF |= reads.f & ~writtenF;
    writtenX |= writes.x;
    writtenF |= writes.f;
  }
  return { reads: { x: readX, f: readF }, writes: { x: writtenX, f: writtenF } };
}
