/**
 * Which guest registers a region has to load and to store, and where: at its entries and behind calls all registers are in
 * the hart's state, in between they are locals. Who calls it: the region emitter.
 */
import { type Decoded, type RegisterFields, traitsOf } from "@bulkhead/isa";
import type { Block } from "./control-flow.ts";

/** A set of registers: bit n of `x` is xn and of `f` is fn. Bit 0 of `x` stands for the data TLB's offset instead of x0. */
export interface RegisterSet {
  readonly x: number;
  readonly f: number;
}

export const EMPTY: RegisterSet = { x: 0, f: 0 };
export const DATA_TLB = 1;

export const union = (a: RegisterSet, b: RegisterSet): RegisterSet =>
  b.x === 0 && b.f === 0 ? a : { x: a.x | b.x, f: a.f | b.f };
const minus = (a: RegisterSet, b: RegisterSet): RegisterSet => ({ x: a.x & ~b.x, f: a.f & ~b.f });
const same = (a: RegisterSet, b: RegisterSet): boolean => a.x === b.x && a.f === b.f;

/** Blocks that control flows between without a call: they share the code that leaves the region. */
export interface Segment {
  /** Registers that the blocks write, and so those that leaving stores. */
  written: RegisterSet;
}

/** Behind a call that nothing of the region follows. */
export const CLEAN: Segment = { written: EMPTY };

export interface BlockRegisters {
  /** Registers whose locals may be newer than the hart's state when the block begins. */
  dirtyIn: RegisterSet;
  /** Registers whose locals must be right when the block begins. */
  liveIn: RegisterSet;
  segment: Segment;
}

interface Flow extends BlockRegisters {
  readonly reads: RegisterSet;
  readonly writes: RegisterSet;
  readonly successors: readonly Flow[];
  readonly isCall: boolean;
}

/** @param entries blocks that are entered from outside. */
export function registersOf(blocks: readonly Block[]): ReadonlyMap<Block, BlockRegisters> {
  const flows = new Map<Block, Flow & { successors: Flow[] }>();
  for (const block of blocks) {
    flows.set(block, {
      ...effects(block),
      isCall: block.ending === "call",
      successors: [],
      dirtyIn: EMPTY,
      liveIn: EMPTY,
      segment: { written: EMPTY },
    });
  }
  for (const [{ edges }, flow] of flows) {
    for (const edge of edges) if ("block" in edge) flow.successors.push(flows.get(edge.block)!);
  }
  const all = [...flows.values()];
  untilStable(all, (flow) => {
    if (flow.isCall) return false;
    const dirtyOut = union(flow.dirtyIn, flow.writes);
    let changed = false;
    for (const next of flow.successors) {
      const dirty = union(next.dirtyIn, dirtyOut);
      if (same(dirty, next.dirtyIn)) continue;
      next.dirtyIn = dirty;
      changed = true;
    }
    return changed;
  });
  joinSegments(all);
  untilStable(all.reverse(), (flow) => {
    // Behind a call everything is loaded again.
    const liveOut = flow.isCall ? EMPTY : flow.successors.reduce((live, next) => union(live, next.liveIn), EMPTY);
    const live = union(union(flow.reads, minus(liveOut, flow.writes)), flow.segment.written);
    if (same(live, flow.liveIn)) return false;
    flow.liveIn = live;
    return true;
  });
  return flows;
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
      segment.written = union(segment.written, member.writes);
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
  let [reads, writes] = [EMPTY, EMPTY];
  for (const { decoded } of steps) {
    const traits = traitsOf(decoded.instruction);
    const read = registers(decoded, traits.reads);
    const used = traits.usesMemory ? { x: read.x | DATA_TLB, f: read.f } : read;
    reads = union(reads, minus(used, writes));
    writes = union(writes, registers(decoded, traits.writes));
  }
  return { reads, writes };
}

function registers(decoded: Decoded, fields: RegisterFields): RegisterSet {
  let [x, f] = [0, 0];
  for (const field of fields.x) x |= 1 << decoded[field];
  for (const field of fields.f) f |= 1 << decoded[field];
  return { x: x & ~1, f };
}
