/**
 * The loop of a thread that runs one hart: wakes it, runs it in slices, sleeps while it waits. It ends when the machine
 * stops. Who makes it: whatever starts threads for a machine, from the `HartThreadStart` that the machine hands out.
 */
import { HostClock, millisecondsUntil } from "../hart/clock.ts";
import { Hart } from "../hart/hart.ts";
import { Word } from "../hart/state.ts";
import { HartRunner } from "../hart-runner.ts";
import { GuestMemory } from "../memory.ts";
import type { PageSource } from "../page-map.ts";
import type { ProcessorFactory } from "../processor.ts";
import { Activity } from "../profile/activity.ts";
import { prepareHart } from "../sbi/hart-port.ts";
import { sliceBudget } from "../slice-budget.ts";
import { adoptHart } from "../snapshot/hart-state.ts";
import { Crew, type CrewMemory, restoredArea, STALL_MS } from "./crew.ts";
import { Nap } from "./nap.ts";
import { RemoteDevices } from "./requests.ts";

/** Everything that a hart's thread begins with; it can be posted. */
export interface HartThreadStart {
  readonly hart: number;
  readonly harts: number;
  readonly ramSize: number;
  readonly memory: WebAssembly.Memory;
  readonly crew: CrewMemory;
  /** How the hart leaves reset, see `HartOptions`. */
  readonly start: "machine" | "supervisor";
  /** Time zero of the machine's clock. */
  readonly clockOriginMs: number;
  /** Of a machine that keeps account of its pages: see `copiesMemory`. */
  readonly copies?: SharedArrayBuffer;
}

export class HartThread {
  readonly #hart: Hart;
  readonly #crew: Crew;
  readonly #runner: HartRunner;
  readonly #devices: RemoteDevices;
  readonly #nap: Nap;
  readonly #restored: SharedArrayBuffer;
  #generation = 0;
  /** It has asked for a reset, which will come. */
  #resetting = false;

  /**
   * @param nowMs the time that the machine's clock counts, see `HostClock`. @param pages where pages of RAM come from that are not
   * in memory, if there are any.
   */
  constructor(start: HartThreadStart, processor: ProcessorFactory, nowMs: () => number, pages?: PageSource) {
    const { hart: index, harts } = start;
    const memory = new GuestMemory(start.ramSize, harts, start.memory, index);
    if (start.copies !== undefined) memory.mapPages(start.copies, pages);
    this.#restored = start.crew.restored;
    const clock = HostClock.since(start.clockOriginMs, nowMs);
    const bus = {
      read: (address: number, bytes: number) => this.#devices.read(address, bytes),
      write: (address: number, bytes: number, value: bigint) => this.#devices.write(address, bytes, value),
    };
    this.#hart = new Hart({ memory, bus, clock, index, start: start.start, keepsInterrupts: true });
    const own = processor(memory, [this.#hart]);
    const isInterrupted = () => this.#resetting || this.#crew.board.interrupts;
    this.#crew = new Crew(memory, start.crew, this.#hart, own, isInterrupted, () => {});
    this.#devices = new RemoteDevices(start.crew.requests, this.#crew.board, index);
    this.#nap = new Nap(this.#crew.board, index);
    this.#runner = new HartRunner(this.#hart, own, this.#crew.states, this.#crew);
  }

  /** Runs until the machine stops. Blocks the thread. */
  run(): void {
    const { board } = this.#crew;
    const { index } = this.#hart;
    for (;;) {
      const seen = board.wakeCount(index);
      if (board.stopping) return;
      if (board.mustPause(index)) board.sleep(index, seen, Number.POSITIVE_INFINITY);
      else this.#step(seen);
    }
  }

  /** Runs a slice, or sleeps if the hart can not run. */
  #step(seen: number): void {
    const { board } = this.#crew;
    const { index } = this.#hart;
    if (board.generation !== this.#generation) this.#begin();
    if (this.#generation !== 0 && !this.#resetting && this.#runner.wake()) {
      board.noteHopeful(index);
      this.#runner.runSlice(sliceBudget(this.#hart.nextDeadline(), this.#hart.clock, this.#crew.nextSlice()));
      if (this.#runner.isStalled) board.sleep(index, board.wakeCount(index), STALL_MS);
      return;
    }
    this.#crew.receive();
    const sleepMs = this.#sleepMs();
    if (sleepMs === Number.POSITIVE_INFINITY && this.#runner.isDeaf) board.noteHopeless(index, seen);
    this.#hart.words[Word.activity] = Activity.off;
    if (sleepMs > 0) this.#nap.rest(seen, () => board.sleep(index, seen, sleepMs));
  }

  /** How long the hart will sleep if nobody wakes it. */
  #sleepMs(): number {
    const deadline = this.#runner.isStopped ? undefined : this.#hart.nextDeadline();
    return deadline === undefined ? Number.POSITIVE_INFINITY : millisecondsUntil(this.#hart.clock, deadline);
  }

  /** The machine has started, or started again. */
  #begin(): void {
    const { board } = this.#crew;
    this.#generation = board.generation;
    this.#resetting = false;
    const { boot } = board;
    if (board.goesOn) {
      adoptHart(this.#hart, restoredArea(this.#restored, this.#hart.index));
      this.#hart.refresh();
    } else prepareHart(this.#hart, boot);
    board.noteBegun(this.#hart.index, this.#generation);
    if (boot.mode === "machine") return;
    this.#runner.sbi = this.#crew.sbiHost({
      console: this.#devices.console,
      reset: (reset) => {
        this.#resetting = true;
        this.#devices.reset(reset);
      },
    });
  }
}
