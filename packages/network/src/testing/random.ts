/** Random numbers of tests: repeatable from a seed that is printed. */

/** Mulberry32 from the seed in `SEED`, or from the clock. @returns numbers from 0 to below a limit. */
export function seededRandom(t: { diagnostic(message: string): void }): (limit: number) => number {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}; set SEED=${seed} to repeat`);
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}
