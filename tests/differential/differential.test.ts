/** A bounded number of random programs on QEMU and on everything of ours. A longer run: `npm run differential`. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Disagreement, judge, runBatch } from "./campaign.ts";
import { makeExecutors } from "./executors.ts";
import { randomProgram } from "./generator.ts";
import { buildImage, differences } from "./image.ts";
import { makePool, type Pool } from "./pool.ts";
import { Qemu } from "./qemu.ts";
import { report } from "./report.ts";
import { operation } from "./sequences.ts";
import { shrink } from "./shrink.ts";

const seed = BigInt(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const PROGRAMS = 400;
const executors = makeExecutors(Number(BigInt.asUintN(32, seed)));
const plain = makePool(["i", "m", "a", "f", "d", "zicsr", "zifencei"]);

const witness = Qemu.find();
const skip = witness === undefined && "no qemu-riscv64 here; Debian has it in the package qemu-user";

describe("differential", { skip }, () => {
  let pool: Pool;
  before(async () => {
    pool = makePool(await witness!.extensions(), witness!.distrusted);
  });
  after(() => witness?.close());

  for (const executor of executors) {
    test(`${executor.name}: agrees with QEMU on random programs (SEED=${seed})`, async () => {
      const disagreement = await runBatch(pool, witness!, [executor], seed, PROGRAMS);
      assert.equal(disagreement && report(disagreement), undefined);
    });
  }

  test("judge: sees a wrong register, flag and memory word", async () => {
    const [oracle] = executors;
    const program = randomProgram(pool, seed);
    const spoil = (offset: number) => ({
      ...oracle!,
      run: (image: ReturnType<typeof buildImage>) => {
        const { data, stopped } = oracle!.run(image);
        data[4096 + offset]! ^= 1;
        return { data, stopped };
      },
    });
    const other = program.base === 5 ? 6 : 5;
    const complaints = async (offset: number) => (await judge([program], witness!, spoil(offset)))[0]!.join();
    assert.match(await complaints(-2048 + 8 * other), new RegExp(`^x${other} is`));
    assert.match(await complaints(-2048 + 512), /^fcsr is/);
    assert.match(await complaints(-8), /^scratch\[-8\] is/);
  });
});

test("differences: is empty for equal images", () => {
  const image = buildImage([randomProgram(plain, 1n)]).bytes.subarray(-8192);
  assert.deepEqual(differences(0, image, image.slice()), []);
});

test("randomProgram: gives the same program for the same seed", () => {
  const image = (value: bigint) => buildImage([randomProgram(plain, value)]).bytes;
  assert.deepEqual(image(seed), image(seed));
  assert.notDeepEqual(image(seed), image(seed + 1n));
});

test("shrink: leaves only what the failure needs", async () => {
  const program = randomProgram(plain, seed);
  const culprit = operation("mul", { rd: 5, rs1: 6, rs2: 7 });
  const wrapped = { kind: "call", link: 1, body: [{ kind: "straight", operations: [culprit] }] } as const;
  const broken = { ...program, items: [...program.items, wrapped] };
  const small = await shrink(broken, async (candidates) =>
    candidates.map(({ items }) => JSON.stringify(items).includes(JSON.stringify(culprit))),
  );
  assert.deepEqual(small.items, [{ kind: "straight", operations: [culprit] }]);
  assert.ok(small.initial.x.every((value) => value === 0n));
});

test("report: shows the listing, the initial state and the differences", () => {
  const program = {
    ...randomProgram(plain, 1n),
    base: 8,
    items: [{ kind: "straight", operations: [operation("add", { rd: 5, rs1: 6, rs2: 7 })] }] as const,
  };
  const disagreement: Disagreement = { program, executor: "jit", complaints: ["x5 is 0x1, QEMU has 0x2"] };
  const text = report(disagreement);
  assert.match(text, /^seed 1: jit disagrees with QEMU\nx8 points/);
  assert.match(text, /\n {5}0: 7302b3 {4}add t0, t1, t2\n/);
  assert.match(text, /\nx5 is 0x1, QEMU has 0x2$/);
});
