/** Random numbers for fuzz tests, repeatable by a seed that is printed; `SEED` in the environment repeats a run. */
export function randomOf(name: string): (limit: number) => number {
  let state = Number(process.env.SEED ?? Math.floor(Math.random() * 0xffff_ffff)) >>> 0;
  console.log(`${name}: SEED=${state}`);
  return (limit) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) % limit;
  };
}

/** A copy with some bytes changed. */
export function damaged(bytes: Uint8Array, random: (limit: number) => number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  for (let i = random(8); i >= 0; i--) copy[random(copy.length)] = random(3) === 0 ? 0xff : random(256);
  return copy;
}
