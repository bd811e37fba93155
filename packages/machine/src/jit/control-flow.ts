/**
 * The control-flow graph of a region: the basic blocks that are reached from its entries without leaving the function that
 * they lie in. Offsets are bytes from the start of the home page, the page of the first entry. Who calls it: the translator.
 */
import { type Decoded, isCompressed } from "@bulkhead/isa";
import type { CodeWindow } from "./code-window.ts";
import { type Ending, type InstructionWord, instructionWord } from "./instruction-word.ts";

export interface Step extends InstructionWord {
  readonly offset: number;
}

/** Where a block goes: to a block of the region, or out of it to an offset. */
export type Edge = { readonly block: Block } | { readonly exit: number };

export interface Block {
  readonly offset: number;
  readonly steps: readonly Step[];
  readonly ending: Ending;
  edges: readonly Edge[];
}

/**
 * The blocks in the order found. Blocks that cannot be translated are missing, so that there may be none for an entry.
 * @param limit of instructions: bounds the time of one translation and the size of its function.
 */
export function controlFlow(window: CodeWindow, entries: readonly number[], limit: number): ReadonlyMap<number, Block> {
  const { steps, leaders } = explore(window, entries, limit);
  const blocks = new Map<number, Block>();
  for (const leader of leaders) {
    if (!steps.has(leader)) continue;
    const run = stepsOf(steps, leaders, leader);
    blocks.set(leader, { offset: leader, steps: run, ending: run.at(-1)!.ending, edges: [] });
  }
  for (const block of blocks.values()) {
    block.edges = successors(block.steps.at(-1)!).map((offset) => {
      const target = blocks.get(offset);
      return target === undefined ? { exit: offset } : { block: target };
    });
  }
  return blocks;
}

/**
 * Offsets where control comes back to the region: behind calls, and behind system calls. All registers are in memory there,
 * so that entering costs nothing more.
 */
export function returnPoints(blocks: ReadonlyMap<number, Block>): number[] {
  const found: number[] = [];
  for (const { steps, ending } of blocks.values()) {
    const last = steps.at(-1)!;
    const next = last.offset + last.decoded.length;
    if ((ending === "call" || comesBack(last.decoded)) && blocks.has(next)) found.push(next);
  }
  return found;
}

/** Offsets of what blocks call on the page that they lie on themselves. */
export function callTargets(blocks: ReadonlyMap<number, Block>): number[] {
  const found: number[] = [];
  for (const { steps, ending } of blocks.values()) {
    const { offset, decoded, traits } = steps.at(-1)!;
    const target = offset + decoded.imm;
    if (ending === "call" && traits.flow === "jump" && target >> 12 === offset >> 12) found.push(target);
  }
  return found;
}

const comesBack = ({ instruction }: Decoded): boolean => instruction.name === "ecall";

/** The last page that an instruction has bytes in, counted from the home page. */
export const lastPage = ({ offset, decoded }: Step): number => (offset + decoded.length - 1) >> 12;

/** Walks from the entries along every edge; leaders are the entries, all targets of edges, and what lies on a new page. */
function explore(window: CodeWindow, entries: readonly number[], limit: number) {
  const steps = new Map<number, Step>();
  const leaders = new Set(entries);
  const pending = [...entries];
  const lead = (offset: number): void => {
    if (leaders.has(offset)) return;
    leaders.add(offset);
    pending.push(offset);
  };
  for (let at = 0; at < pending.length; at++) {
    let step = steps.has(pending[at]!) ? undefined : stepAt(window, pending[at]!);
    while (step !== undefined && !steps.has(step.offset) && steps.size < limit) {
      steps.set(step.offset, step);
      if (step.ending !== "next") {
        successors(step).forEach(lead);
        if (comesBack(step.decoded)) lead(step.offset + step.decoded.length);
        break;
      }
      const page = step.offset >> 12;
      const next = step.offset + step.decoded.length;
      const isWhole: boolean = lastPage(step) === page;
      step = stepAt(window, next);
      // An instruction of which a part lies on another page stands alone, behind a check of that page.
      if (next >> 12 !== page || !isWhole || (step !== undefined && lastPage(step) !== page)) {
        lead(next);
        break;
      }
    }
  }
  return { steps, leaders };
}

function stepAt(window: CodeWindow, offset: number): Step | undefined {
  const low = window.parcel(offset);
  if (low < 0) return undefined;
  let word = low;
  if (!isCompressed(low)) {
    const high = window.parcel(offset + 2);
    if (high < 0) return undefined;
    word |= high << 16;
  }
  const found = instructionWord(word);
  if (found === undefined) return undefined;
  const { decoded, traits, ending, reads, writes } = found;
  return { offset, decoded, traits, ending, reads, writes };
}

/** The steps from a leader to the first that ends a block. */
function stepsOf(steps: ReadonlyMap<number, Step>, leaders: ReadonlySet<number>, leader: number): Step[] {
  const block: Step[] = [];
  for (let step = steps.get(leader); step !== undefined; ) {
    block.push(step);
    const next = step.offset + step.decoded.length;
    if (step.ending !== "next" || leaders.has(next)) break;
    step = steps.get(next);
  }
  return block;
}

function successors({ offset, decoded, ending }: Step): number[] {
  const next = offset + decoded.length;
  switch (ending) {
    case "return":
    case "away":
      return [];
    case "jump":
      return [offset + decoded.imm];
    case "branch":
      return [offset + decoded.imm, next];
    default:
      return [next];
  }
}
