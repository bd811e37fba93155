/** Random numbers of fuzz tests: repeatable from a seed that is printed. */

export interface Random {
  /** 0 to `limit` - 1. */
  below(limit: number): number;
  pick<T>(values: readonly T[]): T;
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** Mulberry32 from the seed in `SEED`, or from a random one. @param say is given the sentence with the seed. */
export function seededRandom(say: (sentence: string) => void, seed: number): Random {
  say(`seed ${seed}; set SEED=${seed} to repeat`);
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    below,
    pick: (values) => values[below(values.length)],
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}
