/** Random programs that fault, call, jump astray and are interrupted, while their page tables change: alike on every tier. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ExtensionName, makePool, type Pool } from "../../differential/pool.ts";
import { Qemu } from "../../differential/qemu.ts";
import { withoutQemu } from "../run.ts";
import {
  BATCH,
  complaints,
  faultingPrograms,
  onQemu,
  onTier,
  randomOptions,
  report,
  runBatch,
  type Way,
} from "./campaign.ts";

const seed = BigInt(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const BATCHES = 3;
const everything: readonly ExtensionName[] = [
  ...(["i", "m", "a", "f", "d", "zicsr", "zifencei", "zihintpause", "zba", "zbb", "zbc", "zbs"] as const),
  ...(["zicond", "zfa", "zfhmin", "zacas"] as const),
];

async function agree(pool: Pool, reference: Way, way: Way): Promise<void> {
  for (let batch = 0; batch < BATCHES; batch++) {
    const disagreement = await runBatch(pool, reference, way, seed + BigInt(batch * BATCH));
    assert.equal(disagreement && report(disagreement, way, reference), undefined);
  }
}

for (const tier of ["jit", "mixed", "random"] as const) {
  test(`${tier}: programs that fault end as interpreted (SEED=${seed})`, async () => {
    await agree(makePool(everything), onTier("interpreter"), onTier(tier, Number(BigInt.asUintN(32, seed))));
  });
}

test("complaints: says where results differ", async () => {
  const programs = faultingPrograms(makePool(everything), seed, 1);
  const interpreter = onTier("interpreter");
  const found = (offset: number) =>
    complaints(programs, randomOptions(seed), interpreter, {
      name: "spoiled",
      run: async (guest) => {
        const results = await interpreter.run(guest);
        results[offset < 0 ? results.length + offset : offset]! ^= 1;
        return results;
      },
    });
  assert.deepEqual(await found(4096 + 8 * 7), ["other traps within 64 bytes from 0x1c0"]);
  assert.deepEqual(await found(3 * 4096), ["other page tables or windows"]);
  // The first page of an image's data comes last, and ends with the program's flags and the lower half of its scratch memory.
  assert.match((await found(-1)).join(), /^seed \d+: scratch\[-8\] is/);
});

const witness = Qemu.find();
const skip = withoutQemu || (witness === undefined && "no qemu-riscv64 here; Debian has it in the package qemu-user");

describe("faults on QEMU", { skip }, () => {
  let pool: Pool;
  before(async () => {
    pool = makePool(await witness!.extensions(), witness!.distrusted);
  });
  after(() => witness?.close());

  test(`interpreter: programs that fault end as on QEMU (SEED=${seed})`, () =>
    agree(pool, onQemu(witness!.cpu), onTier("interpreter")));
});
