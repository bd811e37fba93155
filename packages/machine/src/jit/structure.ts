/**
 * Order and dominance of a control-flow graph, which is what turns it into nested loops and blocks.
 * Source: N. Ramsey, "Beyond Relooper: Recursive Translation of Unstructured Control Flow to Structured Control Flow".
 */

/** Anything that control flows to. All but `links`, one for each edge, is what `arrange` finds out. */
export interface FlowNode<Node> {
  readonly links: readonly { readonly node: Node }[];
  /** Position in reverse postorder; the root is 0. */
  order: number;
  /** Nodes that this one immediately dominates and that several forward edges reach, in reverse postorder. */
  readonly merges: Node[];
  isMerge: boolean;
  isLoopHeader: boolean;
}

/** @param root the one way in; every edge that goes backwards must go to a node that dominates where it comes from. */
export function arrange<Node extends FlowNode<Node>>(root: Node): void {
  const nodes = reversePostorder(root);
  const predecessors: number[][] = nodes.map(() => []);
  for (const node of nodes) for (const { node: target } of node.links) predecessors[target.order]!.push(node.order);
  const dominators = immediateDominators(predecessors);
  for (const node of nodes) {
    let [forward, backward] = [0, 0];
    for (const from of predecessors[node.order]!) {
      if (from < node.order) forward++;
      else backward++;
    }
    node.isLoopHeader = backward > 0;
    node.isMerge = forward > 1;
    if (node.isMerge) nodes[dominators[node.order]!]!.merges.push(node);
  }
}

/** The nodes that a root reaches; their `order` says where they are. */
export function reversePostorder<Node extends FlowNode<Node>>(root: Node): Node[] {
  const seen = new Set([root]);
  const finished: Node[] = [];
  const path = [root];
  const rest = [root.links.length];
  while (path.length > 0) {
    const top = path.length - 1;
    const node = path[top]!;
    if (rest[top] === 0) {
      finished.push(node);
      path.pop();
      rest.pop();
      continue;
    }
    const target = node.links[--rest[top]!]!.node;
    if (seen.has(target)) continue;
    seen.add(target);
    path.push(target);
    rest.push(target.links.length);
  }
  finished.reverse();
  for (let i = 0; i < finished.length; i++) finished[i]!.order = i;
  return finished;
}

/**
 * For each node the one that immediately dominates it, all by their order.
 * Source: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm".
 */
function immediateDominators(predecessors: readonly (readonly number[])[]): Int32Array {
  const dominators = new Int32Array(predecessors.length).fill(-1);
  dominators[0] = 0;
  const intersect = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      while (x > y) x = dominators[x]!;
      while (y > x) y = dominators[y]!;
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let node = 1; node < predecessors.length; node++) {
      let found = -1;
      for (const from of predecessors[node]!) {
        if (dominators[from] !== -1) found = found < 0 ? from : intersect(found, from);
      }
      if (dominators[node] === found) continue;
      dominators[node] = found;
      changed = true;
    }
  }
  return dominators;
}
