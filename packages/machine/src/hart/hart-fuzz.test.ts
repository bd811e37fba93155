import { test } from "node:test";
import { csrOperations, systemOperations } from "@bulkhead/isa";
import { RAM_BASE } from "../memory.ts";
import { Random, seedOf } from "../testing/random-node.ts";
import { csrDeclarations } from "./csr-table.ts";
import type { Hart } from "./hart.ts";
import { checkState, checkTlb } from "./testing/invariants-node.ts";
import { DEVICE_BASE, RAM_SIZE, type Sample, sample } from "./testing/sample.ts";

const ROUNDS = 40;
const STEPS = 500;

test("Hart: whatever a guest does to CSRs, tables and memory is a value, and the state stays legal", () => {
  const random = new Random(seedOf("hart fuzz"));
  for (let round = 0; round < ROUNDS; round++) {
    const machine = sample(random.pick(["machine", "supervisor"] as const));
    for (let i = 0; i < 4096; i++) scribble(machine, random);
    for (let step = 0; step < STEPS; step++) {
      act(machine, random);
      checkState(machine.hart);
    }
    checkTlb(machine.hart);
  }
});

/** Words that look like page-table entries, code or nothing at all, anywhere in the first mebibyte of RAM. */
function scribble({ memory }: Sample, random: Random): void {
  const page = BigInt(RAM_BASE / 4096 + random.below(256));
  const kinds = [(page << 10n) | 1n, (page << 10n) | BigInt(random.below(256)), random.doubleword(), 0n];
  const at = memory.offsetOf(RAM_BASE + random.below(0x2_0000) * 8, 8);
  memory.view.setBigUint64(at, random.pick(kinds), true);
}

function act(machine: Sample, random: Random): void {
  const { hart } = machine;
  const kind = random.below(12);
  if (kind < 4) accessCsr(hart, random);
  else if (kind < 6) hart.load(address(random), random.below(4));
  else if (kind < 8) hart.store(address(random), random.below(4), random.doubleword());
  else if (kind === 8) hart.atomicAddress(address(random), 2 + random.below(3), random.below(2));
  else if (kind === 9) hart.fetch(address(random) & ~1n);
  else if (kind === 10) {
    const operands = [address(random), random.pick([-1n, random.doubleword()])] as const;
    hart.system(random.below(systemOperations.length), ...operands);
  } else {
    hart.setPending(random.pick([1, 3, 5, 7, 9, 11]), random.below(2) === 1);
    machine.clock.advance(random.below(1000));
    hart.updateTimer();
    hart.nextDeadline();
    hart.takeInterrupt();
  }
  if (hart.takeSignal() === 1) hart.takeException();
  // Modes change only by traps and returns; help the lower ones to their share.
  if (random.below(8) === 0) hart.system(systemOperations.indexOf("mret"), 0n, 0n);
  hart.takeSignal();
}

function accessCsr(hart: Hart, random: Random): void {
  const number = random.below(8) === 0 ? random.below(4096) : random.pick(csrDeclarations).number;
  const page = BigInt(RAM_BASE / 4096 + random.below(256));
  const value = random.pick([random.doubleword(), (BigInt(random.pick([0, 8, 9, 10])) << 60n) | page, 0n, -1n]);
  hart.csr(number, random.below(csrOperations.length), random.below(4), BigInt.asIntN(64, value));
}

function address(random: Random): bigint {
  switch (random.below(6)) {
    case 0:
      return random.doubleword();
    case 1:
      return BigInt.asUintN(64, BigInt(-random.below(0x1_0000)));
    case 2:
      return BigInt(DEVICE_BASE + random.below(0x1100));
    case 3:
      return BigInt(random.below(0x1000_0000));
    default:
      return BigInt(RAM_BASE + random.below(RAM_SIZE + 16) - 8);
  }
}
