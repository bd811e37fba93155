/** Innermost loops of a region, as far as their code lies in one piece. Who calls it: what treats loops in ways of its own. */
import type { Block } from "./control-flow.ts";

/** The blocks of each: those from the target of a branch backwards to the branch, where nothing is called and no other such pair lies between. */
export function innermostLoops(blocks: readonly Block[]): (readonly Block[])[] {
  const found: Block[][] = [];
  for (const last of blocks) {
    if (last.ending === "call") continue;
    for (const edge of last.edges) {
      if (!("block" in edge) || edge.block.offset > last.offset) continue;
      const start = edge.block.offset;
      found.push(blocks.filter(({ offset }) => offset >= start && offset <= last.offset));
    }
  }
  found.sort((a, b) => a.length - b.length);
  const seen = new Set<Block>();
  return found.filter((members) => {
    const isInnermost = !members.some((block) => seen.has(block));
    for (const block of members) seen.add(block);
    return isInnermost && members.every(({ ending }) => ending !== "call");
  });
}
