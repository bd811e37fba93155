/**
 * Loads that much waits for: those whose addresses were loaded, as in a list, and those that branches depend on.
 * Their latency counts, where that of others is hidden. Who calls it: the region emitter.
 */
import type { Block, Step } from "./control-flow.ts";

export function awaitedLoads(blocks: readonly Block[]): ReadonlySet<Step> {
  const awaited = new Set<Step>();
  const loaded = loadedValues(blocks);
  for (const block of blocks) {
    addDependent(block, loaded.get(block)!, awaited);
    if (block.ending === "branch") addDecisive(block, awaited);
  }
  return awaited;
}

/** For each block, the registers that hold a value that the region has loaded, or computed from one, where it begins. */
function loadedValues(blocks: readonly Block[]): ReadonlyMap<Block, number> {
  const loaded = new Map(blocks.map((block) => [block, 0]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of blocks) {
      const out = block.steps.reduce(loadedBehind, loaded.get(block)!);
      for (const edge of block.edges) {
        if (!("block" in edge)) continue;
        const known = loaded.get(edge.block)!;
        if ((known | out) === known) continue;
        loaded.set(edge.block, known | out);
        changed = true;
      }
    }
  }
  return loaded;
}

function loadedBehind(loaded: number, { traits, reads, writes }: Step): number {
  return traits.mayTrap || (reads.x & loaded) !== 0 ? loaded | writes.x : loaded & ~writes.x;
}

/** Loads whose address register holds a loaded value. */
function addDependent({ steps }: Block, loadedBefore: number, found: Set<Step>): void {
  let loaded = loadedBefore;
  for (const step of steps) {
    if (isLoad(step) && ((loaded >>> step.decoded.rs1) & 1) !== 0) found.add(step);
    loaded = loadedBehind(loaded, step);
  }
}

/** Loads whose results reach the branch at the block's end. */
function addDecisive({ steps }: Block, found: Set<Step>): void {
  let decisive = 0;
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i]!;
    const { traits, reads, writes } = step;
    if (traits.flow !== "branch" && (writes.x & decisive) === 0) continue;
    decisive &= ~writes.x;
    if (isLoad(step)) found.add(step);
    else decisive |= reads.x;
  }
}

const isLoad = ({ traits, writes }: Step): boolean => traits.usesMemory && writes.x !== 0;
