/** A seeded source of random numbers: the same seed gives the same programs on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any integer; its low 64 bits count. */
  constructor(seed: bigint) {
    this.#a = Number(BigInt.asIntN(32, seed));
    this.#b = Number(BigInt.asIntN(32, seed >> 32n));
    this.#c = 0x9e3779b9;
    for (let i = 0; i < 12; i++) this.word();
  }

  /** 32 bits, unsigned: one step of sfc32. */
  word(): number {
    const result = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result;
    return result >>> 0;
  }

  /** 64 bits, unsigned. */
  doubleword(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.word() % limit;
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True `percent` times in a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<Choice>(choices: readonly Choice[]): Choice {
    return choices[this.below(choices.length)]!;
  }
}
