/** Two harts on threads of their own that rewrite each other's code, thousands of times: beside data, and across pages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble } from "@bulkhead/isa";
import { seedOf } from "../testing/random-node.ts";
import { runThreaded } from "./testing/threaded-machine-node.ts";

/** Where the code behind the header of a sample image lies. */
const BASE = 0x8020_0040;
const seed = seedOf("self-modifying threads");

/**
 * In every round each hart writes an instruction into one of three functions of its own, says so, and waits until the other has:
 * then it calls the other's function, which has to give what was written last. How often it did not is in `stale`.
 */
const program = (rounds: number): string => `
  li a7, 0x48534d
  addi a6, zero, 0
  addi a0, zero, 1
  la a1, other
  addi a2, zero, 0
  ecall
  addi s0, zero, 0
  la s1, flags
  addi s2, s1, 64
  la s3, functions
  la s4, functions_other
  j run
  other: addi s0, zero, 1
  la s2, flags
  addi s1, s2, 64
  la s4, functions
  la s3, functions_other
  run: addi s5, zero, 0
  round: addi s5, s5, 1
  # Which of the functions, and what it is to give: a function of the round and of who has written it.
  andi t0, s5, 3
  slli t0, t0, 3
  add t1, t0, s3
  ld s6, 0(t1)
  add t1, t0, s4
  ld s7, 0(t1)
  mv t2, s0
  call value
  slli t3, t3, 20
  li t0, 0x513
  or t3, t3, t0
  sh t3, 0(s6)
  srli t3, t3, 16
  sh t3, 2(s6)
  fence
  sd s5, 0(s1)
  await: ld t0, 0(s2)
  bltu t0, s5, await
  fence
  fence.i
  # Thrice, so that it is translated; data beside the first function changes all the time.
  addi s8, zero, 3
  again: jalr ra, 0(s7)
  xori t2, s0, 1
  call value
  beq a0, t3, right
  la t0, stale
  addi t1, zero, 1
  amoadd.d zero, t1, (t0)
  right: addi s8, s8, -1
  bnez s8, again
  # The other may write its function again when this has called it.
  sd s5, 8(s1)
  called: ld t0, 8(s2)
  bltu t0, s5, called
  fence
  li t0, ${rounds}
  bltu s5, t0, round
  bnez s0, park
  li a7, 0x53525354
  addi a0, zero, 0
  addi a1, zero, 0
  ecall
  park: wfi
  j park
  value: slli t3, s5, 3
  add t3, t3, t2
  andi t3, t3, 0x7ff
  jalr zero, 0(ra)

  .align 8
  functions: .dword alone
  .dword beside
  .dword across
  .dword beside
  functions_other: .dword alone_other
  .dword beside_other
  .dword across_other
  .dword alone_other
  .align 64
  flags: .space 128
  stale: .dword 0
  ${["", "_other"]
    .map(
      (who) => `
  .align 4096
  beside${who}: addi a0, zero, 0
  auipc t0, 0
  ld t1, 36(t0)
  addi t1, t1, 1
  sd t1, 36(t0)
  sd t1, 1020(t0)
  ret
  .align 4096
  .space 512
  alone${who}: addi a0, zero, 0
  ret
  .align 4096
  .space 4094
  across${who}: addi a0, zero, 0
  ret`,
    )
    .join("\n")}
  .align 4096`;

for (const tier of [0, 20, "random"] as const) {
  test(`threads: harts that rewrite each other's code run what was written last (${tier}, SEED=${seed})`, async () => {
    const { bytes, labels } = assemble(program(tier === 20 ? 300 : 100), BASE);
    const words = [...new Uint32Array(bytes.buffer)];
    const { machine, at } = await runThreaded(2, words, { tier, seed });
    assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
    assert.deepEqual(at(labels.get("stale")!, 1), [0n]);
  });
}
