/** Random numbers for fuzz tests, repeatable by a seed that is printed. */

/** A small generator of 32-bit numbers with a printed seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  word(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.word() % limit;
  }

  doubleword(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }
}

/** The seed of a fuzz run: `SEED` in the environment repeats one. */
export function seedOf(name: string): number {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 0xffff_ffff));
  console.log(`${name}: SEED=${seed}`);
  return seed;
}
