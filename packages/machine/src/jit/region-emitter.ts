/** A control-flow graph to one WebAssembly function with structured control flow. Who calls it: the translator. */
import { flowOf } from "@bulkhead/isa";
import type { RuntimeImports } from "../codegen/runtime-functions.ts";
import type { FunctionBuilder, Label } from "../wasm/index.ts";
import type { Block, Edge } from "./control-flow.ts";
import { RegionOperations } from "./region-operations.ts";
import { type Structure, structureOf } from "./structure.ts";

/** Writes the body of a region `(hart: i32) -> ()` whose entry is `entry`. */
export function emitRegion(b: FunctionBuilder, imports: RuntimeImports, entry: Block): void {
  const operations = new RegionOperations(b, imports);
  new RegionEmitter(b, operations, structureOf(entry)).tree(entry);
  operations.finish();
}

class RegionEmitter {
  readonly #b: FunctionBuilder;
  readonly #operations: RegionOperations;
  readonly #structure: Structure;
  /** Labels in scope: of a loop by its header, of the block that ends right before a merge by the merge. */
  readonly #loops = new Map<Block, Label>();
  readonly #merges = new Map<Block, Label>();

  constructor(b: FunctionBuilder, operations: RegionOperations, structure: Structure) {
    this.#b = b;
    this.#operations = operations;
    this.#structure = structure;
  }

  /** Emits a block and all that it dominates. */
  tree(block: Block): void {
    const merges = this.#structure.merges.get(block)!;
    if (!this.#structure.isLoopHeader.has(block)) {
      this.#within(block, merges);
      return;
    }
    this.#loops.set(block, this.#b.loop());
    this.#within(block, merges);
    this.#loops.delete(block);
    this.#b.end();
  }

  /** Emits a block inside as many wasm blocks as there are merges behind it, each followed by its merge. */
  #within(block: Block, merges: readonly Block[]): void {
    const last = merges.at(-1);
    if (last === undefined) {
      this.#block(block);
      return;
    }
    this.#merges.set(last, this.#b.block());
    this.#within(block, merges.slice(0, -1));
    this.#merges.delete(last);
    this.#b.end();
    this.tree(last);
  }

  #block(block: Block): void {
    const { steps, edges } = block;
    this.#operations.beginBlock(steps.length);
    for (const { decoded, offset } of steps) {
      const flow = flowOf(decoded.instruction);
      if (flow === "branch" || flow === "jump") this.#operations.emitControl(decoded, offset);
      else this.#operations.emit(decoded, offset);
    }
    const [first, second] = edges;
    if (second === undefined) {
      if (first !== undefined) this.#edge(block, first);
      return;
    }
    this.#b.if();
    this.#edge(block, first!);
    this.#b.else();
    this.#edge(block, second);
    this.#b.end();
  }

  #edge(from: Block, edge: Edge): void {
    if ("exit" in edge) {
      this.#operations.exit(edge.exit);
      return;
    }
    const target = edge.block;
    const forward = this.#structure.order.get(target)! > this.#structure.order.get(from)!;
    if (!forward) {
      this.#backEdge(target);
      return;
    }
    if (!this.#structure.isMerge.has(target)) {
      this.tree(target);
      return;
    }
    const label = this.#merges.get(target);
    if (label === undefined) this.#operations.exit(target.offset);
    else this.#b.br(label);
  }

  /** Goes round a loop; an edge into the middle of one (irreducible flow) leaves the region. */
  #backEdge(header: Block): void {
    const label = this.#loops.get(header);
    if (label === undefined) {
      this.#operations.exit(header.offset);
      return;
    }
    this.#operations.exitOnBudget(header.offset);
    this.#b.br(label);
  }
}
