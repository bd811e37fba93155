/** A region's control flow to one WebAssembly function with structured control flow. Who calls it: the translator. */
import { type FunctionBuilder, type Label, Op, ValueType } from "../wasm/index.ts";
import { awaitedLoads } from "./awaited-loads.ts";
import type { CodeWindow } from "./code-window.ts";
import { type Block, lastPage } from "./control-flow.ts";
import { floatUse } from "./float-use.ts";
import { type BlockRegisters, CLEAN, crossing, liveIn, overwritten, registersOf } from "./liveness.ts";
import { innermostLoops } from "./loops.ts";
import {
  type BlockNode,
  type DispatchNode,
  type EntryNode,
  type Link,
  type RegionNode,
  regionGraph,
} from "./region-graph.ts";
import { ENTRY, type RegionImports, RegionOperations } from "./region-operations.ts";
import { EMPTY } from "./register-set.ts";
import { arrange } from "./structure.ts";

export interface RegionCode {
  readonly window: CodeWindow;
  readonly blocks: readonly Block[];
  /** Blocks that the region is entered at, by the number that callers give. */
  readonly entries: readonly Block[];
}

/** Writes the body of a region, `(hart, depth, entry, pc) -> pc`. */
export function emitRegion(b: FunctionBuilder, imports: RegionImports, code: RegionCode): void {
  new RegionEmitter(b, imports, code).emit();
}

class RegionEmitter {
  readonly #b: FunctionBuilder;
  readonly #operations: RegionOperations;
  readonly #window: CodeWindow;
  readonly #registers: ReadonlyMap<Block, BlockRegisters>;
  readonly #root: RegionNode;
  /** Labels in scope: of a loop by its header, of the block that ends right before a merge by the merge. */
  readonly #loops = new Map<RegionNode, Label>();
  readonly #merges = new Map<RegionNode, Label>();
  /** The local by which edges tell a dispatch node where to go. */
  readonly #selectors = new Map<RegionNode, number>();

  constructor(b: FunctionBuilder, imports: RegionImports, { window, blocks, entries }: RegionCode) {
    this.#b = b;
    const loops = imports.isHot ? innermostLoops(blocks) : [];
    this.#registers = registersOf(blocks, loops);
    const segments = new Set([CLEAN, ...[...this.#registers.values()].map(({ segment }) => segment)]);
    const numbers = new Map(entries.map(({ offset }, number) => [offset, number]));
    this.#operations = new RegionOperations(b, imports, {
      float: floatUse(blocks),
      awaited: awaitedLoads(imports.isHot ? blocks : []),
      segments,
      entries: numbers,
    });
    this.#window = window;
    this.#root = regionGraph(blocks, entries);
    arrange<RegionNode>(this.#root);
  }

  emit(): void {
    this.#operations.begin();
    this.#tree(this.#root);
    this.#operations.finish();
  }

  /** Emits a node and all that it dominates. */
  #tree(node: RegionNode): void {
    const { merges, isLoopHeader } = node;
    if (!isLoopHeader) {
      this.#within(node, merges.length);
      return;
    }
    this.#loops.set(node, this.#b.loop());
    this.#within(node, merges.length);
    this.#loops.delete(node);
    this.#b.end();
  }

  /** Emits a node inside as many wasm blocks as it has merges behind it, up to a number, each followed by its merge. */
  #within(node: RegionNode, merges: number): void {
    if (merges === 0) {
      this.#node(node);
      return;
    }
    const last = node.merges[merges - 1]!;
    this.#merges.set(last, this.#b.block());
    this.#within(node, merges - 1);
    this.#merges.delete(last);
    this.#b.end();
    this.#tree(last);
  }

  #node(node: RegionNode): void {
    if (node.kind === "block") this.#block(node);
    else if (node.kind === "entry") this.#entry(node);
    else if (node.kind === "root") this.#choose(node, ENTRY);
    else this.#dispatch(node);
  }

  /** Goes to the link whose number is in a local. */
  #choose(node: RegionNode, selector: number): void {
    const { links } = node;
    const b = this.#b;
    if (links.length === 1) {
      this.#link(node, links[0]!);
      return;
    }
    // The first is the most frequent one: a function's start, or a loop's own header.
    const [first, ...others] = links;
    b.get(selector).op(Op.i32_eqz).hint("likely").if();
    this.#link(node, first!);
    b.end();
    const labels = others.map(() => b.block()).reverse();
    b.get(selector).i32(1).op(Op.i32_sub).brTable(labels.slice(0, -1), labels.at(-1)!);
    for (const link of others) {
      b.end();
      this.#link(node, link);
    }
  }

  #dispatch(node: DispatchNode): void {
    const b = this.#b;
    const selector = this.#selector(node);
    const chosen = b.local(ValueType.i32);
    b.get(selector).set(chosen).i32(0).set(selector);
    this.#choose(node, chosen);
  }

  #entry(node: EntryNode): void {
    const { block } = node;
    const registers = this.#registers.get(block)!;
    this.#operations.enter(block.offset, liveIn(registers));
    this.#operations.within(registers.segment);
    this.#guard(block.offset >> 12, block);
    this.#link(node, node.links[0]!);
  }

  #block(node: BlockNode): void {
    const { block } = node;
    const operations = this.#operations;
    const { dirtyIn, segment } = this.#registers.get(block)!;
    operations.beginBlock(block.steps.length, dirtyIn);
    operations.within(segment);
    const last = block.steps.at(-1)!;
    const later = overwritten(block.steps);
    for (const [i, step] of block.steps.entries()) {
      operations.emit(step, step === last ? block.ending : "next", later[i]!);
    }
    operations.endBlock();
    const [first, second] = block.edges;
    if (second !== undefined) {
      if ("exit" in first!) this.#b.hint("unlikely");
      else if ("exit" in second) this.#b.hint("likely");
      this.#b.if();
      this.#edge(node, 0);
      this.#b.else();
      this.#edge(node, 1);
      this.#b.end();
    } else if (first !== undefined) {
      this.#edge(node, 0);
    } else if (last.traits.flow === "system") {
      operations.exit(last.offset + last.decoded.length);
    }
  }

  #edge(node: BlockNode, position: number): void {
    const { edges, steps, ending } = node.block;
    const edge = edges[position]!;
    const operations = this.#operations;
    // Behind a call everything is in memory.
    const registers = this.#registers.get(node.block)!;
    operations.within(ending === "call" ? CLEAN : registers.segment);
    if (ending === "call") operations.reload(EMPTY);
    if ("exit" in edge) {
      operations.exit(edge.exit);
      return;
    }
    const next = this.#registers.get(edge.block)!;
    if (ending !== "call" && next.segment !== registers.segment) operations.cross(crossing(registers, next));
    // A jump may lead into another function.
    if (ending === "jump") operations.mark(edge.block.offset);
    const links = edges.slice(0, position).filter((other) => "block" in other).length;
    this.#guard(lastPage(steps.at(-1)!), edge.block);
    const link = node.links[links]!;
    if (this.#isBackward(node, link)) operations.exitOnBudget(edge.block.offset);
    this.#link(node, link);
  }

  #isBackward = (from: RegionNode, { node }: Link): boolean => node.order <= from.order;

  #link(from: RegionNode, link: Link): void {
    const { node, index } = link;
    if (index !== 0) this.#b.i32(index).set(this.#selector(node));
    if (this.#isBackward(from, link)) this.#b.br(this.#loops.get(node)!);
    else if (node.isMerge) this.#b.br(this.#merges.get(node)!);
    else this.#tree(node);
  }

  /** Checks the pages of a block that nothing says to be where they were, when control comes from page `known`. */
  #guard(known: number, { offset, steps }: Block): void {
    for (const page of new Set([offset >> 12, lastPage(steps[0]!)])) {
      if (page !== known) this.#operations.guard(page, this.#window.hostPage(page), offset);
    }
  }

  #selector(node: RegionNode): number {
    let local = this.#selectors.get(node);
    if (local === undefined) {
      local = this.#b.local(ValueType.i32);
      this.#selectors.set(node, local);
    }
    return local;
  }
}
