/** Random programs that never fault and always end, so that the state they leave says all about the machine. */
import { assemble, reach } from "./assemble.ts";
import { expandedFields, type Pool, ROUNDING_MODES, randomOperation } from "./pool.ts";
import { type InitialState, type Item, type Operation, type Program, SCRATCH_REACH } from "./program.ts";
import { Random } from "./random.ts";
import {
  atomicAccess,
  type Context,
  cacheBlock,
  floatControl,
  freeRegister,
  harmless,
  leavesAlone,
  memoryAccess,
  operation,
  type Reserved,
  reservationPair,
} from "./sequences.ts";
import { floatValue, integerValue, memoryValue } from "./values.ts";

const ITEMS = 40;
const MAX_DEPTH = 3;
/** Loops at the top level run often enough to become hot; those inside others only a few times. */
const MAX_TIMES = [60, 8, 3];

/** What straight code is made of, and how often each. */
export type Makers = readonly (readonly [weight: number, make: Maker])[];

/** What a program is made from. */
interface Recipe extends Context {
  readonly makers: Makers;
}

/** The program of a seed. */
export function randomProgram(pool: Pool, seed: bigint, makers: Makers = harmlessMakers): Program {
  const random = new Random(seed);
  const base = random.between(1, 31);
  const items = randomItems({ random, pool, base, makers }, new Set([base]), ITEMS, 0);
  return { name: `seed ${seed}`, base, items, initial: randomState(random) };
}

function randomState(random: Random): InitialState {
  const fill = (length: number, make: (random: Random) => bigint) => Array.from({ length }, () => make(random));
  return {
    x: fill(32, integerValue),
    f: fill(32, floatValue),
    fcsr: (random.below(ROUNDING_MODES) << 5) | random.below(32),
    scratch: fill((2 * SCRATCH_REACH) / 8, memoryValue),
  };
}

type Maker = (recipe: Recipe, reserved: Reserved, depth: number) => Item;

export const straight =
  (make: (context: Context, reserved: Reserved) => readonly Operation[]): Maker =>
  (context, reserved) => ({ kind: "straight", operations: make(context, reserved) });

/** Code that does not care whether what surrounds it traps. */
export const plainMakers: Makers = [
  [60, straight((context, reserved) => [harmless(context, "compute", reserved)])],
  [18, straight(memoryAccess)],
  [4, straight(floatControl)],
  [4, straight(atomicAccess)],
  [1, straight((context, reserved) => [harmless(context, "fence", reserved)])],
  [1, randomPatch],
];

/** Code that never traps. A trap may end a reservation. */
const harmlessMakers: Makers = [...plainMakers, [2, straight(reservationPair)], [1, straight(cacheBlock)]];

const nested: Makers = [
  [6, randomSkip],
  [2, randomLeap],
  [4, randomLoop],
  [3, randomCall],
];

function randomItems(recipe: Recipe, reserved: Reserved, count: number, depth: number): Item[] {
  const makers = depth < MAX_DEPTH ? [...recipe.makers, ...nested] : recipe.makers;
  return Array.from({ length: count }, () => weighted(recipe, makers)(recipe, reserved, depth));
}

function weighted({ random }: Context, makers: Makers): Maker {
  let rest = random.below(makers.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, make] of makers) {
    if (rest < weight) return make;
    rest -= weight;
  }
  throw new Error("weights do not add up");
}

function randomBody(context: Recipe, reserved: Reserved, depth: number): Item[] {
  return randomItems(context, reserved, context.random.between(1, 8), depth + 1);
}

function randomSkip(context: Recipe, reserved: Reserved, depth: number): Item {
  const { random, pool } = context;
  const body = randomBody(context, reserved, depth);
  const bytes = assemble(body).length;
  for (;;) {
    const branch = randomOperation(random, random.pick(random.chance(80) ? pool.branch : pool.jump));
    if (leavesAlone(branch, reserved) && reach(branch) >= bytes + 4) return { kind: "skip", branch, body };
  }
}

function randomLeap(context: Recipe, reserved: Reserved, depth: number): Item {
  const { random, pool } = context;
  for (;;) {
    const { form, fields } = randomOperation(random, random.pick(pool.jumpRegister));
    const jump = { form, fields: { ...fields, imm: form.length === 4 ? random.between(-8, 8) : 0 } };
    const { rs1: via = 0 } = expandedFields(jump);
    if (via === 0 || reserved.has(via) || !leavesAlone(jump, reserved)) continue;
    return { kind: "leap", via, jump, body: randomBody(context, reserved, depth) };
  }
}

function randomLoop(context: Recipe, reserved: Reserved, depth: number): Item {
  const counter = freeRegister(context, reserved);
  const body = randomBody(context, new Set([...reserved, counter]), depth);
  return { kind: "loop", counter, times: context.random.between(1, MAX_TIMES[depth]!), body };
}

function randomCall(context: Recipe, reserved: Reserved, depth: number): Item {
  const link = context.random.chance(70) && !reserved.has(1) ? 1 : freeRegister(context, reserved);
  return { kind: "call", link, body: randomBody(context, new Set([...reserved, link]), depth) };
}

function randomPatch(context: Context, reserved: Reserved): Item {
  const word = freeRegister(context, reserved);
  const address = freeRegister(context, new Set([...reserved, word]));
  const place = context.random.pick(["front", "behind"] as const);
  const fourBytes = (): Operation => {
    const candidate = harmless(context, "compute", reserved);
    return candidate.form.length === 4 ? candidate : operation("addi", {});
  };
  return { kind: "patch", place, before: fourBytes(), after: fourBytes(), word, address };
}
