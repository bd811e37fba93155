/** Runs random programs that fault below the kernel, in one way and another, and cuts a failure to size. */
import type { Tier } from "../../../tools/conformance/bare-machine.ts";
import { type Makers, plainMakers, randomProgram, straight } from "../../differential/generator.ts";
import { buildImage, differences } from "../../differential/image.ts";
import type { Pool } from "../../differential/pool.ts";
import type { Program } from "../../differential/program.ts";
import { description } from "../../differential/report.ts";
import { shrink } from "../../differential/shrink.ts";
import type { Guest } from "../guest.ts";
import { run, runOnQemu } from "../run.ts";
import { type KernelOptions, partsOf, SLOT_BYTES, SLOTS, underKernel } from "./kernel.ts";
import { call, forbidden, wildAccess, wildAtomic, wildJump } from "./sequences.ts";

/** Programs for each image. */
export const BATCH = 12;
/** Exceptions that may go to S-mode: all but calls from there, which end the guest. */
const DELEGABLE = 0xb1ff;

const faultingMakers: Makers = [
  ...plainMakers,
  [25, straight(wildAccess)],
  [5, straight(wildAtomic)],
  [4, straight(forbidden)],
  [6, straight(call)],
  [2, straight(wildJump)],
];

/** One way of running a guest to its end; it gives the results. */
export interface Way {
  readonly name: string;
  run(guest: Guest): Uint8Array | Promise<Uint8Array>;
}

/** @param seed of what the tier leaves to chance. */
export const onTier = (tier: Tier, seed = 1): Way => ({ name: tier, run: (guest) => run(guest, tier, seed) });
export const onQemu = (cpu: string): Way => ({ name: "QEMU", run: (guest) => runOnQemu(guest, cpu) });

export interface Disagreement {
  /** The smallest program found that still fails; undefined if none fails alone. */
  readonly program: Program | undefined;
  readonly options: KernelOptions;
  /** One line for each place that differs. */
  readonly complaints: readonly string[];
}

/** The programs of some seeds from one on. */
export const faultingPrograms = (pool: Pool, seed: bigint, count: number): Program[] =>
  Array.from({ length: count }, (_, i) => randomProgram(pool, seed + BigInt(i), faultingMakers));

/** What the kernel is like for a seed. */
export function randomOptions(seed: bigint): KernelOptions {
  const bits = Number(BigInt.asUintN(16, (seed * 0x9e37_79b9n) >> 8n));
  return { seed, medeleg: bits & DELEGABLE, mideleg: bits & 32, timer: bits % 3 !== 0 };
}

/** Runs the programs of `BATCH` seeds from `seed` on; gives what is different on `way` than on `reference`. */
export async function runBatch(pool: Pool, reference: Way, way: Way, seed: bigint): Promise<Disagreement | undefined> {
  const programs = faultingPrograms(pool, seed, BATCH);
  const options = randomOptions(seed);
  const judge = (tried: readonly Program[]) => complaints(tried, options, reference, way);
  const found = await judge(programs);
  if (found.length === 0) return undefined;
  for (const program of programs) {
    if ((await judge([program])).length === 0) continue;
    const fails = async (candidate: Program) => (await judge([candidate])).length > 0;
    const smallest = await shrink(program, (candidates) => upToFirst(candidates, fails));
    return { program: smallest, options, complaints: await judge([smallest]) };
  }
  return { program: undefined, options, complaints: found };
}

/** Whether each candidate fails, as far as it is worth knowing: those behind the first that does count as if they did not. */
async function upToFirst(candidates: readonly Program[], fails: (candidate: Program) => Promise<boolean>) {
  const found: boolean[] = [];
  for (const candidate of candidates) {
    found.push(await fails(candidate));
    if (found.at(-1)) break;
  }
  return found;
}

/** A disagreement in words. */
export function report({ program, options, complaints }: Disagreement, way: Way, reference: Way): string {
  const { seed, medeleg, mideleg, timer } = options;
  return [
    `seed ${seed}: ${way.name} disagrees with ${reference.name}; medeleg 0x${medeleg.toString(16)}, mideleg ${mideleg}, ${timer ? "with" : "without"} a timer`,
    ...(program === undefined ? ["no program fails alone"] : description(program)),
    ...complaints,
  ].join("\n");
}

/** What is different on `way` than on `reference`, a line for each place. */
export async function complaints(
  programs: readonly Program[],
  options: KernelOptions,
  reference: Way,
  way: Way,
): Promise<string[]> {
  const image = buildImage(programs);
  const guest = underKernel(image, options);
  try {
    const [expected, actual] = [partsOf(await reference.run(guest), image), partsOf(await way.run(guest), image)];
    const slots = [...Array(SLOTS).keys()].filter((slot) => !equal(expected.sums, actual.sums, 8 * slot, 8 * slot + 8));
    return [
      ...programs.flatMap(({ name }, index) =>
        differences(index, expected.data, actual.data).map(
          ({ place, expected, actual }) =>
            `${name}: ${place} is 0x${actual.toString(16)}, not 0x${expected.toString(16)}`,
        ),
      ),
      ...slots.map((slot) => `other traps within ${SLOT_BYTES} bytes from 0x${(slot * SLOT_BYTES).toString(16)}`),
      ...(equal(expected.rest, actual.rest) ? [] : ["other page tables or windows"]),
    ];
  } catch (error) {
    return [String(error)];
  }
}

const equal = (a: Uint8Array, b: Uint8Array, from = 0, to = a.length): boolean =>
  a.subarray(from, to).every((byte, index) => byte === b[from + index]);
