/**
 * Runs one hart in slices: wakes it, delivers interrupts and exceptions, and answers its SBI calls. Who calls it: the loop
 * of the thread that the hart is on, the machine's or one of its own.
 */
import { Cause } from "./hart/cause.ts";
import type { Hart } from "./hart/hart.ts";
import { HartState, Signal } from "./hart/layout.ts";
import type { Processor } from "./processor.ts";
import { serveCall } from "./sbi/dispatch.ts";
import { enterSupervisor } from "./sbi/hart-port.ts";
import { type HartStates, HartStatus } from "./sbi/hart-states.ts";
import type { SbiHost } from "./sbi/host.ts";

const SIGNAL = HartState.signal / 4;
const BUDGET = HartState.budget / 4;
const CAUSE = HartState.cause / 4;
const ECALL_BYTES = 4n;
const MIE = 0x304;
/** External interrupts: the ones by which the host can wake a hart. */
const EXTERNAL_INTERRUPTS = (1n << 9n) | (1n << 11n);
/** Returns from generated code in one slice: ends it for a guest that faults forever without retiring anything. */
const MAX_EXITS = 10_000;

/** Instructions between two looks of a hart that does nothing but wait for another one. */
const BETWEEN_LOOKS = 500;
/** Such looks in a row before the thread is given up for a while: the other hart's thread may not have a core. */
const MOST_LOOKS = 64;

/** What surrounds a hart's slices. */
export interface Surroundings {
  /** Before a slice, and behind it: between them the hart may be in guest code. SBI calls are served outside. */
  enter(hart: Hart): void;
  leave(hart: Hart): void;
  /** The hart has executed `fence.i`, and its generated code has been left. */
  codeFence(): void;
  /** The machine has ended, restarts, or pauses its harts. */
  readonly interrupted: boolean;
  /** A slice ends with an SBI call: it may concern other harts, and the caller often waits for them. */
  readonly callsEndSlices: boolean;
}

export class HartRunner {
  readonly hart: Hart;
  /** What serves environment calls from S-mode, when the hypervisor is the guest's firmware. */
  sbi: SbiHost | undefined;
  readonly #processor: Processor;
  readonly #states: HartStates;
  readonly #surroundings: Surroundings;
  #fenced = false;
  /** Looks of a waiting hart in a row, and the budget at the last one. */
  #looks = 0;
  #budgetAtLook = 0;

  constructor(hart: Hart, processor: Processor, states: HartStates, surroundings: Surroundings) {
    this.hart = hart;
    this.#processor = processor;
    this.#states = states;
    this.#surroundings = surroundings;
    hart.instructionFence = () => {
      this.#fenced = true;
    };
    hart.stalled = () => this.#countLook();
  }

  /** Whether the last slice ended because the hart waits in a loop for what another one does. */
  get isStalled(): boolean {
    return this.#looks >= MOST_LOOKS;
  }

  /** Whether the hart can run now: completes a pending start and ends a wait that an interrupt is there for. */
  wake(): boolean {
    const { hart } = this;
    const status = this.#states.status(hart.index);
    if (status === HartStatus.stopped) return false;
    hart.updateTimer();
    if (this.isAsleep) return false;
    if (status === HartStatus.started) return true;
    if (status === HartStatus.startPending && !this.#states.isStartPending(hart.index)) return false;
    const entry = this.#states.resume(hart.index);
    if (entry !== undefined) {
      enterSupervisor(hart, entry);
      // While it was stopped nobody told it of what changed.
      hart.fenceAddresses(undefined, undefined);
      this.#fenced = true;
    }
    return true;
  }

  /** Whether the hart waits and nothing that it waits for is pending. */
  get isAsleep(): boolean {
    const suspended = this.#states.status(this.hart.index) === HartStatus.suspended;
    return (suspended || this.hart.waiting) && this.hart.pendingAndEnabled === 0;
  }

  get isStopped(): boolean {
    return this.#states.status(this.hart.index) === HartStatus.stopped;
  }

  /** Whether no device could wake the hart while it sleeps: it is stopped, or takes no external interrupts. */
  get isDeaf(): boolean {
    return this.isStopped || ((this.hart.readCsr(MIE) ?? 0n) & EXTERNAL_INTERRUPTS) === 0n;
  }

  /** Runs the hart, which is awake, for at most `budget` instructions. */
  runSlice(budget: number): void {
    const { hart } = this;
    this.#surroundings.enter(hart);
    hart.beginSlice(budget);
    this.#budgetAtLook = budget;
    if (this.isStalled) this.#looks--;
    if (!this.#exits()) this.#surroundings.leave(hart);
  }

  /** True if the slice has ended with an SBI call, and so outside guest code. */
  #exits(): boolean {
    const { hart } = this;
    const { index, words } = hart;
    for (let exits = 0; exits < MAX_EXITS; exits++) {
      if (this.#fenced) this.#fenceCode();
      hart.takeInterrupt();
      if (hart.waiting) return false;
      this.#processor.run(index);
      const called = words[SIGNAL] === Signal.exception && words[CAUSE] === Cause.supervisorCall;
      if (called && this.sbi !== undefined) {
        if (this.#surroundings.callsEndSlices) {
          this.#surroundings.leave(hart);
          this.#serve(this.sbi);
          return true;
        }
        this.#serve(this.sbi);
      } else if (words[SIGNAL] === Signal.exception) hart.takeException();
      words[SIGNAL] = Signal.none;
      if (words[BUDGET] < 0 || this.isStalled || !this.#goesOn()) return false;
    }
    return false;
  }

  /**
   * Answers an SBI call. Not within the call-out of the ECALL: translated code keeps registers to itself until it is left.
   */
  #serve(sbi: SbiHost): void {
    const { hart } = this;
    hart.words[SIGNAL] = Signal.none;
    if (serveCall(sbi, hart.index)) hart.pc += ECALL_BYTES;
    else if (hart.words[SIGNAL] === Signal.exception) hart.takeException();
    hart.words[SIGNAL] = Signal.none;
  }

  #countLook(): void {
    const budget = this.hart.words[BUDGET];
    this.#looks = this.#budgetAtLook - budget < BETWEEN_LOOKS ? this.#looks + 1 : 1;
    this.#budgetAtLook = budget;
  }

  #fenceCode(): void {
    this.#fenced = false;
    this.#processor.codeChanged();
    this.#surroundings.codeFence();
  }

  /** Whether the hart has not stopped or suspended itself, and nothing else wants the thread. */
  #goesOn(): boolean {
    return !this.#surroundings.interrupted && this.#states.status(this.hart.index) === HartStatus.started;
  }
}
