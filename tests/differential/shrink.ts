/** Cuts a failing program down to what it needs to fail. */
import type { Item, Program } from "./program.ts";

/** Says for each candidate whether it still fails. */
export type Fails = (candidates: readonly Program[]) => Promise<readonly boolean[]>;

/** Takes the first smaller program that still fails, until none does. Candidates are tried in one batch. */
export async function shrink(program: Program, fails: Fails): Promise<Program> {
  let smallest = program;
  for (;;) {
    const candidates = smallerPrograms(smallest);
    const failing = candidates.length === 0 ? [] : await fails(candidates);
    const index = failing.indexOf(true);
    if (index < 0) return smallest;
    smallest = candidates[index]!;
  }
}

/** Programs with less in them, the boldest cuts first. */
function smallerPrograms(program: Program): Program[] {
  const { initial } = program;
  const states = [
    { ...initial, fcsr: 0 },
    ...zeroings(initial.x).map((x) => ({ ...initial, x })),
    ...zeroings(initial.f).map((f) => ({ ...initial, f })),
    ...zeroings(initial.scratch).map((scratch) => ({ ...initial, scratch })),
  ];
  return [
    ...smallerLists(program.items).map((items) => ({ ...program, items })),
    ...states.filter((state) => different(state, initial)).map((state) => ({ ...program, initial: state })),
  ];
}

const different = (a: Program["initial"], b: Program["initial"]): boolean =>
  a.fcsr !== b.fcsr || [a.x, a.f, a.scratch].some((list, i) => list.some((v, j) => v !== [b.x, b.f, b.scratch][i]![j]));

/** The list with all of it, each half and each single element zero. */
function zeroings(values: readonly bigint[]): bigint[][] {
  const cut = (from: number, to: number) => values.map((value, index) => (index >= from && index < to ? 0n : value));
  const half = values.length >> 1;
  const singles = values.flatMap((value, index) => (value === 0n ? [] : [cut(index, index + 1)]));
  return [cut(0, values.length), cut(0, half), cut(half, values.length), ...singles];
}

/** The list without a run of items, and then with one item made smaller. */
function smallerLists(items: readonly Item[]): Item[][] {
  const lists: Item[][] = [];
  for (let run = items.length; run >= 1; run >>= 1) {
    for (let at = 0; at + run <= items.length; at += run) lists.push([...items.slice(0, at), ...items.slice(at + run)]);
  }
  items.forEach((item, index) => {
    for (const replacement of smallerItems(item)) {
      lists.push([...items.slice(0, index), ...replacement, ...items.slice(index + 1)]);
    }
  });
  return lists;
}

/** What may stand in for an item: its body alone, the same around a smaller body, fewer rounds, fewer instructions. */
function smallerItems(item: Item): (readonly Item[])[] {
  switch (item.kind) {
    case "straight":
      // The first may be what the others need, such as their address.
      return item.operations
        .slice(1)
        .map((_, index) => [{ ...item, operations: item.operations.toSpliced(index + 1, 1) }]);
    case "patch":
      return [];
    case "loop":
      return [item.body, ...fewerRounds(item.times).map((times) => [{ ...item, times }]), ...smallerBodies(item)];
    default:
      return [item.body, ...smallerBodies(item)];
  }
}

const fewerRounds = (times: number): number[] =>
  [...new Set([1, times >> 1, times - 1])].filter((n) => n > 0 && n < times);

const smallerBodies = (item: Item & { body: readonly Item[] }): Item[][] =>
  smallerLists(item.body).map((body) => [{ ...item, body }]);
