/** Firmware on harts of several threads: all leave reset together, and what they are told outlives what one of them does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble } from "@bulkhead/isa";
import { RAM_BASE } from "../memory.ts";
import { runThreaded } from "./testing/threaded-machine-node.ts";

const HARTS = 3;
const MAGIC = 0x4942_534fn;
const RAM_BYTES = 32 * 1024 * 1024;

/**
 * Every hart leaves at `seen` what `a2` points to. Hart 0, and before the others come if they are late, has written over that, and over
 * all of RAM behind the program, as a boot loader may that it starts. It waits for the others and powers off.
 */
const { bytes, labels } = assemble(
  `
  la s0, seen
  bnez a0, look
  addi t0, zero, -1
  sd t0, 0(a2)
  la t1, top
  ld t1, 0(t1)
  la t2, end
  clear: sd zero, 0(t2)
  addi t2, t2, 64
  bltu t2, t1, clear
  look: ld t0, 0(a2)
  slli t1, a0, 3
  add t1, t1, s0
  sd t0, 0(t1)
  la t1, count
  addi t2, zero, 1
  amoadd.d.aqrl zero, t2, (t1)
  bnez a0, park
  addi t3, zero, ${HARTS}
  wait: ld t2, 0(t1)
  bltu t2, t3, wait
  lui t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
  park: wfi
  j park
  .align 64
  top: .dword ${RAM_BASE + RAM_BYTES}
  count: .dword 0
  seen: .space ${8 * HARTS}
  .align 64
  end:`,
  RAM_BASE,
);

test("threads: every hart finds what firmware is told of the next stage, whatever hart 0 has done by then", async () => {
  const boot = { firmware: bytes, kernel: Uint8Array.of(1) };
  const { machine, at } = await runThreaded(HARTS, [], { boot, ramSize: RAM_BYTES });
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
  assert.deepEqual(at(labels.get("seen")!, HARTS), Array(HARTS).fill(MAGIC));
});
