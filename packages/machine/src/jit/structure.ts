/**
 * Order and dominance of a control-flow graph, which is what turns it into nested loops and blocks.
 * Source: N. Ramsey, "Beyond Relooper: Recursive Translation of Unstructured Control Flow to Structured Control Flow".
 */
import type { Block } from "./control-flow.ts";

export interface Structure {
  /** Position in reverse postorder; the entry is 0. */
  readonly order: ReadonlyMap<Block, number>;
  /** Blocks that a block immediately dominates and that several forward edges reach, in reverse postorder. */
  readonly merges: ReadonlyMap<Block, readonly Block[]>;
  readonly isMerge: ReadonlySet<Block>;
  readonly isLoopHeader: ReadonlySet<Block>;
  /** Whether every path from the entry to `block` passes `dominator`. */
  dominates(dominator: Block, block: Block): boolean;
}

export function structureOf(entry: Block): Structure {
  const blocks = reversePostorder(entry);
  const order = new Map(blocks.map((block, index) => [block, index]));
  const predecessors = new Map<Block, Block[]>(blocks.map((block) => [block, []]));
  for (const block of blocks) for (const target of targets(block)) predecessors.get(target)!.push(block);
  const dominator = immediateDominators(blocks, order, predecessors);
  const dominates = (above: Block, block: Block): boolean => {
    let current = block;
    while (order.get(current)! > order.get(above)!) current = dominator.get(current)!;
    return current === above;
  };

  const merges = new Map<Block, Block[]>(blocks.map((block) => [block, []]));
  const isMerge = new Set<Block>();
  const isLoopHeader = new Set<Block>();
  for (const block of blocks) {
    const edges = predecessors.get(block)!;
    if (edges.some((from) => order.get(from)! >= order.get(block)! && dominates(block, from))) isLoopHeader.add(block);
    if (edges.filter((from) => order.get(from)! < order.get(block)!).length < 2) continue;
    isMerge.add(block);
    merges.get(dominator.get(block)!)!.push(block);
  }
  return { order, merges, isMerge, isLoopHeader, dominates };
}

/** The blocks that a block's edges lead to, one for each edge. */
const targets = (block: Block): Block[] => block.edges.flatMap((edge) => ("block" in edge ? [edge.block] : []));

function reversePostorder(entry: Block): Block[] {
  const seen = new Set([entry]);
  const finished: Block[] = [];
  const stack = [{ block: entry, rest: targets(entry) }];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const target = top.rest.pop();
    if (target === undefined) {
      finished.push(top.block);
      stack.pop();
    } else if (!seen.has(target)) {
      seen.add(target);
      stack.push({ block: target, rest: targets(target) });
    }
  }
  return finished.reverse();
}

/** Source: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm". */
function immediateDominators(
  blocks: readonly Block[],
  order: ReadonlyMap<Block, number>,
  predecessors: ReadonlyMap<Block, readonly Block[]>,
): Map<Block, Block> {
  const dominator = new Map<Block, Block>([[blocks[0]!, blocks[0]!]]);
  const intersect = (a: Block, b: Block): Block => {
    let [x, y] = [a, b];
    while (x !== y) {
      while (order.get(x)! > order.get(y)!) x = dominator.get(x)!;
      while (order.get(y)! > order.get(x)!) y = dominator.get(y)!;
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of blocks.slice(1)) {
      const known = predecessors.get(block)!.filter((from) => dominator.has(from));
      const found = known.reduce(intersect);
      if (dominator.get(block) !== found) {
        dominator.set(block, found);
        changed = true;
      }
    }
  }
  return dominator;
}
