/**
 * The loop of a partition's thread: run a slice of the guest, move bytes between channels and devices, and sleep on the
 * doorbell while every hart waits. It ends when the guest stops, has died, or the owner orders it to.
 */
import type { Doorbell } from "../channel/doorbell.ts";
import type { ConsoleTail } from "../partition/console-tail.ts";
import type { Stopped } from "../partition/description.ts";
import { Order } from "../partition/wiring.ts";

/** What the loop needs of a machine with its bridges. */
export interface LoopMachine {
  /** Pauses and saves the machine if that is wanted; returns when it may go on. */
  attend?(): void;
  /** Runs every hart for a while. */
  runSlice(): void;
  /** Moves bytes both ways between channels and devices as far as there is room. */
  pump(): void;
  /** Every byte that the guest has sent is with the owner. */
  readonly delivered: boolean;
  /** How the guest has ended its run, if it has. */
  readonly ended: { readonly reason: "power-off" | "reset"; readonly code: number } | undefined;
  /** 0 while a hart runs; else milliseconds until a timer fires, infinite if only input can wake a hart. */
  idleMs(): number;
  /** Calls `sleep`, which blocks the thread until the doorbell's count is not `seen`. */
  rest(seen: number, sleep: () => void): void;
  /** Every hart waits and no interrupt could ever wake one. */
  readonly halted: boolean;
}

/** A kernel that has printed the end of a panic's report and then nothing more for so long will never do anything. */
const PANIC_SILENCE_MS = 3000;
/** Lines of the console that are handed over with the end. */
const REPORT_LINES = 16;

export class MachineLoop {
  readonly #machine: LoopMachine;
  readonly #doorbell: Doorbell;
  readonly #order: Int32Array;
  readonly #tail: ConsoleTail;
  readonly #nowMs: () => number;
  #lastOutputMs: number;
  #endsInPanic = false;

  constructor(
    machine: LoopMachine,
    doorbell: Doorbell,
    order: SharedArrayBuffer,
    tail: ConsoleTail,
    nowMs = () => performance.now(),
  ) {
    this.#machine = machine;
    this.#doorbell = doorbell;
    this.#order = new Int32Array(order);
    this.#tail = tail;
    this.#nowMs = nowMs;
    this.#lastOutputMs = nowMs();
  }

  /** Takes what the serial console printed. */
  printed(bytes: Uint8Array): void {
    this.#lastOutputMs = this.#nowMs();
    this.#tail.feed(bytes);
    this.#endsInPanic = this.#tail.endsInPanic;
  }

  /** Runs until the end and says what it was. Blocks the thread. */
  run(): Stopped {
    const stopped = this.#guest();
    this.#deliver();
    return stopped;
  }

  #guest(): Stopped {
    const machine = this.#machine;
    for (;;) {
      const seen = this.#doorbell.count;
      if (Atomics.load(this.#order, 0) !== Order.run) return this.#stopped("killed", 0);
      machine.attend?.();
      machine.pump();
      machine.runSlice();
      machine.pump();
      if (machine.ended !== undefined) {
        const panicked = machine.ended.reason === "reset" && this.#tail.panicked;
        return this.#stopped(panicked ? "panic" : machine.ended.reason, machine.ended.code);
      }
      const silent = this.#panicSilence();
      if (silent <= 0) return this.#stopped("panic", 0);
      if (machine.halted) return this.#stopped(this.#tail.panicked ? "panic" : "stuck", 0);
      const sleepMs = Math.min(machine.idleMs(), silent);
      if (sleepMs === 0) continue;
      machine.rest(seen, () => this.#doorbell.sleep(seen, sleepMs));
    }
  }

  /** Milliseconds until silence proves a panic; infinite while there is none. */
  #panicSilence(): number {
    if (!this.#endsInPanic) return Number.POSITIVE_INFINITY;
    return this.#lastOutputMs + PANIC_SILENCE_MS - this.#nowMs();
  }

  #stopped(reason: Stopped["reason"], code: number): Stopped {
    return { reason, code, lastLines: this.#tail.report(REPORT_LINES) };
  }

  /** Hands over what the guest has sent, however slowly the owner takes it, unless it wants an end at once. */
  #deliver(): void {
    for (;;) {
      const seen = this.#doorbell.count;
      this.#machine.pump();
      if (this.#machine.delivered || Atomics.load(this.#order, 0) === Order.stop) return;
      this.#doorbell.sleep(seen);
    }
  }
}
