/**
 * Order and dominance of a control-flow graph, which is what turns it into nested loops and blocks.
 * Source: N. Ramsey, "Beyond Relooper: Recursive Translation of Unstructured Control Flow to Structured Control Flow".
 */

/** Anything that control flows to; `targets` are where it goes on within the graph, one for each edge. */
export interface FlowNode<Node> {
  readonly targets: readonly Node[];
}

export interface Structure<Node> {
  /** Position in reverse postorder; the root is 0. */
  readonly order: ReadonlyMap<Node, number>;
  /** Nodes that a node immediately dominates and that several forward edges reach, in reverse postorder. */
  readonly merges: ReadonlyMap<Node, readonly Node[]>;
  readonly isMerge: ReadonlySet<Node>;
  readonly isLoopHeader: ReadonlySet<Node>;
}

/** @param root the one way in; every edge that goes backwards must go to a node that dominates where it comes from. */
export function structureOf<Node extends FlowNode<Node>>(root: Node): Structure<Node> {
  const nodes = reversePostorder(root);
  const order = new Map(nodes.map((node, index) => [node, index]));
  const predecessors = new Map<Node, Node[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const target of node.targets) predecessors.get(target)!.push(node);
  const dominator = immediateDominators(nodes, order, predecessors);

  const merges = new Map<Node, Node[]>(nodes.map((node) => [node, []]));
  const isMerge = new Set<Node>();
  const isLoopHeader = new Set<Node>();
  for (const node of nodes) {
    const edges = predecessors.get(node)!;
    const forward = edges.filter((from) => order.get(from)! < order.get(node)!).length;
    if (forward < edges.length) isLoopHeader.add(node);
    if (forward < 2) continue;
    isMerge.add(node);
    merges.get(dominator.get(node)!)!.push(node);
  }
  return { order, merges, isMerge, isLoopHeader };
}

export function reversePostorder<Node extends FlowNode<Node>>(root: Node): Node[] {
  const seen = new Set([root]);
  const finished: Node[] = [];
  const stack = [{ node: root, rest: [...root.targets] }];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const target = top.rest.pop();
    if (target === undefined) {
      finished.push(top.node);
      stack.pop();
    } else if (!seen.has(target)) {
      seen.add(target);
      stack.push({ node: target, rest: [...target.targets] });
    }
  }
  return finished.reverse();
}

/** Source: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm". */
function immediateDominators<Node>(
  nodes: readonly Node[],
  order: ReadonlyMap<Node, number>,
  predecessors: ReadonlyMap<Node, readonly Node[]>,
): Map<Node, Node> {
  const dominator = new Map<Node, Node>([[nodes[0]!, nodes[0]!]]);
  const intersect = (a: Node, b: Node): Node => {
    let [x, y] = [a, b];
    while (x !== y) {
      while (order.get(x)! > order.get(y)!) x = dominator.get(x)!;
      while (order.get(y)! > order.get(x)!) y = dominator.get(y)!;
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of nodes.slice(1)) {
      const known = predecessors.get(node)!.filter((from) => dominator.has(from));
      const found = known.reduce(intersect);
      if (dominator.get(node) !== found) {
        dominator.set(node, found);
        changed = true;
      }
    }
  }
  return dominator;
}
