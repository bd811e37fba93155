import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleImage } from "../boot/sample-files.ts";
import { HostClock, ManualClock } from "../hart/clock.ts";
import { Machine } from "../machine.ts";
import { PAGE_SIZE } from "../memory.ts";
import { type PageSource, PageState } from "../page-map.ts";
import { a1, a2, a6, add, addi, auipc, bne, li, lw, shutdown, sw, t0, t1, t2, zero } from "../sample-assembler.ts";
import { TranslatingProcessor } from "../translating-processor.ts";
import type { MachineState } from "./machine-state.ts";
import { StateError } from "./state-error.ts";

const RAM_SIZE = 24 * 1024 * 1024;
const PAGES = 200;
const zeroes = new Uint8Array(PAGE_SIZE);

/** Walks over pages, each time mixing what is there with a register; the result is in a2. */
const program = (rounds: number): Uint8Array =>
  sampleImage([
    auipc(t0, 0x1000),
    add(t2, t0, zero),
    ...li(a6, PAGE_SIZE),
    ...li(t1, rounds),
    ...li(7 + 21, PAGES * PAGE_SIZE),
    add(28, 28, t0),
    // The loop.
    lw(a1, t2, 0),
    add(a2, a2, a2),
    add(a2, a2, a1),
    add(a2, a2, t1),
    sw(a2, t2, 0),
    add(t2, t2, a6),
    bne(t2, 28, 8),
    add(t2, t0, zero),
    addi(t1, t1, -1),
    bne(t1, zero, -36),
    ...shutdown,
  ]);

const newMachine = (kernel: Uint8Array, pages?: PageSource): Machine =>
  new Machine({
    ramSize: RAM_SIZE,
    harts: 1,
    boot: { kernel },
    ...(pages === undefined ? {} : { pages }),
    processor: (memory, harts) => new TranslatingProcessor(memory, harts, { threshold: 20 }),
    onOutput: () => {},
  });

const result = (machine: Machine): bigint => machine.harts[0].getX(a2);
const ram = ({ memory }: Machine): Uint8Array => memory.bytes.subarray(memory.ramOffset, memory.ramOffset + RAM_SIZE);

interface Saved {
  readonly state: MachineState;
  /** Pages that are not all 0. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
}

/** Pages that were not written are as in the state `before`. */
function save(machine: Machine, before?: Saved): Saved {
  machine.hold();
  const state = machine.save();
  const pages = new Map<number, Uint8Array>();
  for (let page = 0; page < RAM_SIZE / PAGE_SIZE; page++) {
    const known = machine.memory.pages?.state(page);
    if (known === PageState.absent || known === PageState.clean) {
      const same = before?.pages.get(page);
      if (same !== undefined) pages.set(page, same);
    } else {
      const bytes = ram(machine).subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
      if (Buffer.compare(bytes, zeroes) !== 0) pages.set(page, bytes.slice());
    }
  }
  machine.release();
  return { state, pages };
}

/** Another machine with the state; its pages come when they are touched. */
function restored(kernel: Uint8Array, saved: Saved, onLoad: (page: number) => void = () => {}): Machine {
  const load = (page: number, into: Uint8Array): void => {
    onLoad(page);
    into.set(saved.pages.get(page) ?? assert.fail());
  };
  const machine = newMachine(kernel, { load });
  machine.memory.pages?.leaveOut(Array.from({ length: RAM_SIZE / PAGE_SIZE }, (_, page) => +saved.pages.has(page)));
  machine.restore(saved.state);
  return machine;
}

function finish(machine: Machine): bigint {
  for (let n = 0; n < 10_000 && machine.state === "running"; n++) machine.runSlice();
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
  return result(machine);
}

test("Machine.restore: a guest goes on in 100 machines one after the other as it does in one", () => {
  const kernel = program(1_600_000);
  const whole = newMachine(kernel);
  whole.start();
  const expected = finish(whole);
  let machine = newMachine(kernel);
  machine.start();
  let cycles = 0;
  let saved: Saved | undefined;
  for (; cycles < 100; cycles++) {
    machine.runSlice();
    assert.equal(machine.state, "running");
    saved = save(machine, saved);
    machine = restored(kernel, saved);
  }
  assert.equal(finish(machine), expected);
});

test("Machine.restore: pages come from the source once, when they are touched, and no others do", () => {
  const kernel = program(100);
  const first = newMachine(kernel);
  first.start();
  const loaded: number[] = [];
  const { state, pages } = save(first);
  const all = new Map(Array.from({ length: RAM_SIZE / PAGE_SIZE }, (_, page) => [page, pages.get(page) ?? zeroes]));
  finish(restored(kernel, { state, pages: all }, (page) => loaded.push(page)));
  assert.equal(new Set(loaded).size, loaded.length);
  // The program, and a hundred pages that it walks over.
  assert.ok(loaded.length > 100 && loaded.length < 110, `${loaded.length} pages`);
});

test("Machine.restore: time goes on where it was, and the guest gets another generation id", () => {
  const kernel = program(10);
  const clock = new ManualClock();
  clock.advance(123_456);
  const options = { ramSize: RAM_SIZE, harts: 1, boot: { kernel }, onOutput: () => {} } as const;
  const processor = (...[memory, harts]: ConstructorParameters<typeof TranslatingProcessor>) =>
    new TranslatingProcessor(memory, harts);
  const first = new Machine({ ...options, processor, clock });
  first.start();
  const { state } = save(first);
  assert.equal(state.ticks, 123_456);
  const second = new Machine({ ...options, processor, clock: new HostClock(state.ticks) });
  second.restore(state);
  assert.ok(second.clock.ticks() >= 123_456);
  assert.notDeepEqual(second.platform.generation.save().id, state.platform.generation.id);
});

test("Machine.restore: refuses state of another machine before it touches anything", () => {
  const kernel = program(10);
  const first = newMachine(kernel);
  first.start();
  const { state } = save(first);
  const refusals: [Partial<MachineState>, RegExp][] = [
    [{ version: 99 }, /expected version 1, found 99/],
    [{ ramSize: 64 }, /expected bytes of memory 25165824, found 64/],
    [{ harts: [...state.harts, ...state.harts] }, /expected harts 1, found 2/],
    [{ start: "machine" }, /expected mode of its start supervisor, found machine/],
    [{ virtioSlots: [0] }, /virtio slots/],
    [{ harts: [{ ...state.harts[0], x: [] }] }, /x registers/],
  ];
  for (const [change, message] of refusals) {
    const other = newMachine(kernel);
    const before = ram(other).slice();
    assert.throws(
      () => other.restore({ ...state, ...change }),
      (error: unknown) => error instanceof StateError && message.test(error.message),
    );
    assert.equal(other.harts[0].pc, 0n);
    assert.deepEqual(ram(other), before);
  }
  assert.throws(() => newMachine(kernel).restore(undefined), StateError);
});
