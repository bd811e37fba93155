/** Guests that write, move and run code end alike on every tier, with a code cache that is full all the time, and on QEMU. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { doublewords, guest, TRAPPED } from "./guest.ts";
import { run, runOnQemu, withoutQemu } from "./run.ts";
import { guests } from "./self-modifying.ts";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));

for (const [name, source] of Object.entries(guests)) {
  const program = guest(source, BigInt(seed));
  for (const tier of ["jit", "mixed", "random"] as const) {
    test(`${tier}: ${name} runs as interpreted (SEED=${seed})`, () => {
      assert.deepEqual(doublewords(run(program, tier, seed)), doublewords(run(program, "interpreter")));
    });
  }
  test(`interpreter: ${name} runs as on QEMU (SEED=${seed})`, { skip: withoutQemu }, async () => {
    const result = doublewords(run(program, "interpreter"));
    assert.deepEqual(result.slice(TRAPPED, TRAPPED + 3), [0n, 0n, 0n], "an unexpected trap");
    assert.deepEqual(result, doublewords(await runOnQemu(program)));
  });
}
