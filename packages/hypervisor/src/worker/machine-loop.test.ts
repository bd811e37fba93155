import assert from "node:assert/strict";
import { test } from "node:test";
import { Doorbell } from "../channel/doorbell.ts";
import { ConsoleTail } from "../partition/console-tail.ts";
import { Order } from "../partition/wiring.ts";
import { type LoopMachine, MachineLoop } from "./machine-loop.ts";

const PANIC = "[  1.0] Kernel panic - not syncing: x\n[  1.0] ---[ end Kernel panic - not syncing: x ]---\n";

/** A machine that does as a test says in its slices; a slice takes a second of the test's clock. */
class ScriptedMachine implements LoopMachine {
  ended: LoopMachine["ended"];
  halted = false;
  delivered = true;
  pumps = 0;
  readonly loop: MachineLoop;
  readonly order = new SharedArrayBuffer(4);
  readonly #slices: (() => void)[];
  #nowMs = 0;

  constructor(...slices: ((machine: ScriptedMachine) => void)[]) {
    this.#slices = slices.map((slice) => () => slice(this));
    this.loop = new MachineLoop(this, new Doorbell(), this.order, new ConsoleTail(), () => this.#nowMs);
  }

  runSlice(): void {
    this.#nowMs += 1000;
    (this.#slices.shift() ?? assert.fail("the loop ran on"))();
  }

  pump(): void {
    this.pumps++;
  }

  idleMs(): number {
    return 0;
  }

  rest(_seen: number, sleep: () => void): void {
    sleep();
  }

  print(text: string): void {
    this.loop.printed(new TextEncoder().encode(text));
  }

  give(order: number): void {
    Atomics.store(new Int32Array(this.order), 0, order);
  }
}

test("MachineLoop: ends with the guest's power-off and its code", () => {
  const machine = new ScriptedMachine(
    () => {},
    (m) => {
      m.print("bye\n");
      m.ended = { reason: "power-off", code: 3 };
    },
  );
  assert.deepEqual(machine.loop.run(), { reason: "power-off", code: 3, lastLines: ["bye"] });
});

test("MachineLoop: takes a restart for what it is, and for a panic when the console says so", () => {
  const restart = (m: ScriptedMachine): void => {
    m.ended = { reason: "reset", code: 0 };
  };
  assert.equal(new ScriptedMachine(restart).loop.run().reason, "reset");
  const panic = new ScriptedMachine((m) => m.print(PANIC), restart).loop.run();
  assert.equal(panic.reason, "panic");
  assert.match(panic.lastLines[0], /not syncing/);
});

test("MachineLoop: ends a panicked guest that spins silently, but not one that goes on", () => {
  const nothing = (): void => {};
  const silent = new ScriptedMachine((m) => m.print(PANIC), nothing, nothing, nothing);
  assert.equal(silent.loop.run().reason, "panic");
  const alive = new ScriptedMachine(
    (m) => m.print(PANIC),
    (m) => m.print("# "),
    nothing,
    nothing,
    nothing,
    nothing,
    (m) => m.give(Order.stop),
  );
  assert.equal(alive.loop.run().reason, "killed");
});

test("MachineLoop: ends a guest whose harts have all halted for ever", () => {
  const halt = (m: ScriptedMachine): void => {
    m.halted = true;
  };
  assert.equal(new ScriptedMachine(halt).loop.run().reason, "stuck");
  assert.equal(new ScriptedMachine((m) => m.print(PANIC), halt).loop.run().reason, "panic");
});

test("MachineLoop: drains what the guest has sent without running it further", () => {
  const machine = new ScriptedMachine((m) => {
    m.delivered = false;
    m.give(Order.drain);
  });
  const pump = machine.pump.bind(machine);
  machine.pump = () => {
    pump();
    machine.delivered = machine.pumps > 2;
  };
  assert.equal(machine.loop.run().reason, "killed");
  assert.equal(machine.delivered, true);
});

test("MachineLoop: does not wait for a reader when it is to stop at once", () => {
  const machine = new ScriptedMachine((m) => {
    m.delivered = false;
    m.give(Order.stop);
  });
  assert.equal(machine.loop.run().reason, "killed");
});
