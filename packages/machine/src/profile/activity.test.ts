import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@bulkhead/isa";
import { HartState, hartBase } from "../hart/layout.ts";
import { RAM_BASE } from "../memory.ts";
import { FlatMachine, type TestState } from "../testing/flat-machine.ts";
import { Activity, ActivityWord } from "./activity.ts";
import { profiledDevice } from "./profiled-device.ts";
import { profiled } from "./profiled-processor.ts";

const [RA, A0] = [1, 10];
const EBREAK = encode("ebreak", {});
const PC = BigInt(RAM_BASE);

function start(): TestState {
  const zeros = () => Array.from({ length: 32 }, () => 0n);
  return { x: zeros(), f: zeros(), pc: PC, fflags: 0, frm: 0, reservation: undefined };
}

/** What the activity and the place were at each call-out for a CSR or a load, and at the end. */
function observed(threshold: number | "never", words: readonly number[], profile = true): [number, bigint][] {
  const machine = new FlatMachine(threshold, true, 1, profile);
  const { view } = machine.memory;
  const seen: [number, bigint][] = [];
  const note = () =>
    void seen.push([machine.word(HartState.activity), view.getBigUint64(hartBase(0) + HartState.pc, true) - PC]);
  machine.hart.csr = () => {
    note();
    return 0n;
  };
  machine.hart.load = () => {
    note();
    return 0n;
  };
  const code = machine.code(RAM_BASE, words.length * 4);
  for (const [index, word] of words.entries()) code.setUint32(index * 4, word, true);
  machine.run(start(), 100);
  note();
  return seen;
}

const csr = encode("csrrw", { rd: A0, rs1: 0, imm: 0x7ff });

test("HartState.activity: is left alone unless a profile is taken", () => {
  for (const threshold of ["never", 0] as const) {
    assert.deepEqual(
      observed(threshold, [csr, EBREAK], false).map(([activity]) => activity),
      [Activity.off, Activity.off],
    );
  }
});

test("HartState.activity: tells the interpreter, translated code and exits apart", () => {
  const activities = (threshold: number | "never", last: number): number[] =>
    observed(threshold, [csr, last]).map(([activity]) => activity);
  const forever = encode("jal", { rd: 0, imm: 0 });
  assert.deepEqual(activities("never", forever), [Activity.exit, Activity.interpreter]);
  assert.deepEqual(activities(0, forever), [Activity.exit, Activity.translated]);
  // The exception is taken where the code was left.
  assert.deepEqual(activities(0, EBREAK), [Activity.exit, Activity.exit]);
});

test("HartState.pc: follows translated code into calls, back out of them, and along jumps", () => {
  const call = encode("jal", { rd: RA, imm: 16 });
  const jump = encode("jal", { rd: 0, imm: 16 });
  const back = encode("jalr", { rd: 0, rs1: RA, imm: 0 });
  const nothing = encode("addi", { rd: 0, rs1: 0, imm: 0 });
  // There is no RAM at address 0, so that loads from there are call-outs.
  const load = encode("lw", { rd: A0, rs1: 0, imm: 0 });
  //               0     4     8     12    16       20    24    28    32
  const program = [load, call, load, jump, nothing, load, back, load, EBREAK];
  const places = observed(0, program);
  // The entry, the callee, behind the call, and where the jump leads.
  assert.deepEqual(places.slice(0, 4), [
    [Activity.refill, 0n],
    [Activity.refill, 20n],
    [Activity.refill, 8n],
    [Activity.refill, 28n],
  ]);
});

test("ActivityWord.during: goes back to what was said before, also after an error", () => {
  const { memory } = new FlatMachine("never", true);
  const word = new ActivityWord(memory, 0);
  word.set(Activity.translated);
  assert.throws(() =>
    word.during(Activity.device, () => {
      assert.equal(word.current, Activity.device);
      throw new Error("broken");
    }),
  );
  assert.equal(word.current, Activity.translated);
});

test("profiledDevice: counts accesses as device work of the hart that makes them", () => {
  const word = new ActivityWord(new FlatMachine("never", true).memory, 0);
  const seen: number[] = [];
  const device = {
    read: () => seen.push(word.current),
    write: () => void seen.push(word.current),
  };
  const layered = profiledDevice(device, () => word);
  word.set(Activity.refill);
  assert.equal(layered.read(0, 4), 1);
  layered.write(0, 4, 1);
  assert.deepEqual([...seen, word.current], [Activity.device, Activity.device, Activity.refill]);
});

test("profiled: says interpreter while the processor runs, and exit behind it", () => {
  const { memory } = new FlatMachine("never", true);
  const word = new ActivityWord(memory, 0);
  const seen: number[] = [];
  const plain = {
    run: () => void seen.push(word.current),
    codeChanged: () => {},
    written: () => {},
    isCodePage: () => true,
    trim: () => {},
  };
  const hart = { index: 0 } as unknown as Parameters<ReturnType<typeof profiled>>[1][number];
  const processor = profiled(() => plain)(memory, [hart]);
  processor.run(0);
  assert.deepEqual([...seen, word.current], [Activity.interpreter, Activity.exit]);
  assert.equal(processor.isCodePage(1), true);
});
