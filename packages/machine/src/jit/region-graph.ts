/**
 * The flow graph of a region as it is emitted: its blocks, a node for each entry, and dispatch nodes where the guest's
 * control flow is not reducible, for example because an entry lies within a loop. Who calls it: the region emitter.
 */
import type { Block } from "./control-flow.ts";
import { type FlowNode, reversePostorder } from "./structure.ts";

/** Where a node goes on. Towards a dispatch node, `index` says to which of its targets. */
export interface Link {
  node: RegionNode;
  index: number;
}

export type RegionNode = RootNode | EntryNode | BlockNode | DispatchNode;

abstract class LinkedNode implements FlowNode<RegionNode> {
  readonly links: Link[] = [];
  order = -1;
  readonly merges: RegionNode[] = [];
  isMerge = false;
  isLoopHeader = false;

  /** Adds an edge and gives it. */
  link(node: RegionNode): Link {
    const link = { node, index: 0 };
    this.links.push(link);
    return link;
  }
}

abstract class NodeOfBlock extends LinkedNode {
  readonly block: Block;

  constructor(block: Block) {
    super();
    this.block = block;
  }
}

/** Where the function begins: goes to the entry that its parameter names. */
export class RootNode extends LinkedNode {
  readonly kind = "root";
}

/** Takes the state from memory and goes to its block: where the region is entered, and where calls come back to. */
export class EntryNode extends NodeOfBlock {
  readonly kind = "entry";
}

export class BlockNode extends NodeOfBlock {
  readonly kind = "block";
}

/** Goes to the target whose index the edge into it has set; the first is the loop's own header. */
export class DispatchNode extends LinkedNode {
  readonly kind = "dispatch";
}

/** The graph for blocks and those of them that are entries, in the order of their numbers. Links of a block node are its edges to blocks, in order. */
export function regionGraph(blocks: Iterable<Block>, entries: readonly Block[]): RootNode {
  const nodes = new Map<Block, BlockNode>();
  for (const block of blocks) nodes.set(block, new BlockNode(block));
  const entryNodes = new Map<Block, EntryNode>();
  const entryOf = (block: Block): EntryNode => {
    let entry = entryNodes.get(block);
    if (entry === undefined) {
      entry = new EntryNode(block);
      entry.link(nodes.get(block)!);
      entryNodes.set(block, entry);
    }
    return entry;
  };
  for (const [{ edges, ending }, node] of nodes) {
    for (const edge of edges) {
      if ("block" in edge) node.link(ending === "call" ? entryOf(edge.block) : nodes.get(edge.block)!);
    }
  }
  const root = new RootNode();
  for (const block of entries) root.link(entryOf(block));
  const all = reversePostorder<RegionNode>(root);
  if (all.some(goesBack)) makeReducible(all, all);
  return root;
}

const goesBack = ({ links, order }: RegionNode): boolean => links.some(({ node }) => node.order <= order);

/** Gives every cycle among `inner` one node that all ways into it pass. @param all nodes of the graph. */
function makeReducible(all: readonly RegionNode[], inner: readonly RegionNode[]): void {
  for (const cycle of cycles(inner)) {
    const members = new Set(cycle);
    const entries = entriesOf(all, members);
    if (entries.length <= 1) {
      const header = entries[0];
      makeReducible(
        all,
        cycle.filter((node) => node !== header),
      );
      continue;
    }
    const dispatch = insertDispatch(all, members, entries);
    makeReducible([...all, dispatch], cycle);
  }
}

/** Members of a cycle that edges from outside lead to; one that another block reaches comes first. */
function entriesOf(all: readonly RegionNode[], members: ReadonlySet<RegionNode>): RegionNode[] {
  const natural = new Set<RegionNode>();
  const others = new Set<RegionNode>();
  for (const from of all) {
    if (members.has(from)) continue;
    for (const { node } of from.links) if (members.has(node)) (from.kind === "entry" ? others : natural).add(node);
  }
  for (const node of natural) others.delete(node);
  return [...natural, ...others];
}

/** Leads all ways into a cycle, and its ways back to the first entry, through one new node. */
function insertDispatch(
  all: readonly RegionNode[],
  members: ReadonlySet<RegionNode>,
  entries: readonly RegionNode[],
): DispatchNode {
  const dispatch = new DispatchNode();
  for (const from of all) {
    for (const link of from.links) {
      const index = entries.indexOf(link.node);
      if (index < 0 || (members.has(from) && index > 0)) continue;
      // A link's place says which target of its own node it is; its index, which one of the node that it leads to.
      link.node = dispatch;
      link.index = index;
    }
  }
  for (const entry of entries) dispatch.link(entry);
  return dispatch;
}

/** Strongly connected components with a cycle, within a set of nodes. Source: Tarjan, "Depth-First Search and Linear Graph Algorithms". */
function cycles(inner: readonly RegionNode[]): RegionNode[][] {
  const state = new Map<RegionNode, { index: number; low: number; onStack: boolean }>();
  const within = new Set(inner);
  const stack: RegionNode[] = [];
  const found: RegionNode[][] = [];
  const visit = (node: RegionNode): { index: number; low: number; onStack: boolean } => {
    const own = { index: state.size, low: state.size, onStack: true };
    state.set(node, own);
    stack.push(node);
    for (const { node: target } of node.links) {
      if (!within.has(target)) continue;
      const known = state.get(target);
      if (known === undefined) own.low = Math.min(own.low, visit(target).low);
      else if (known.onStack) own.low = Math.min(own.low, known.index);
    }
    if (own.low !== own.index) return own;
    const component: RegionNode[] = [];
    for (let member: RegionNode | undefined; member !== node; ) {
      member = stack.pop()!;
      state.get(member)!.onStack = false;
      component.push(member);
    }
    if (component.length > 1 || node.links.some(({ node: target }) => target === node)) found.push(component.reverse());
    return own;
  };
  for (const node of inner) if (!state.has(node)) visit(node);
  return found;
}
