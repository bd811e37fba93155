/**
 * The harts of one machine, each on a thread of its own, as seen from one of these threads: its own hart and processor
 * joined to the others. Who makes it: the machine, for hart 0, and the loop of every further hart's thread.
 */
import type { Hart } from "../hart/hart.ts";
import type { HartArea } from "../hart/state.ts";
import type { Surroundings } from "../hart-runner.ts";
import type { GuestMemory } from "../memory.ts";
import type { Processor } from "../processor.ts";
import { FirmwareEvents } from "../sbi/firmware-events.ts";
import { HartPort } from "../sbi/hart-port.ts";
import { HartStates } from "../sbi/hart-states.ts";
import type { SbiConsole, SbiHart, SbiHost, SystemReset } from "../sbi/host.ts";
import { PerformanceCounters } from "../sbi/performance-counters.ts";
import { SliceLength } from "../slice-budget.ts";
import { SAVED_BYTES } from "../snapshot/hart-state.ts";
import { Board, type BoardMemory, boardMemory } from "./board.ts";
import { Mailbox, mailboxMemory } from "./mailbox.ts";
import { RemoteHart } from "./remote-hart.ts";
import { requestMemory } from "./requests.ts";

/** Slices of a hart that are kept short after another one has waited for it: it will probably do so again. */
const HURRIED_SLICES = 100;

/** How long a thread is given up whose hart waits in a loop for another one, at most. */
export const STALL_MS = 0.05;

/** What the threads of a machine share besides guest memory; it can be posted. */
export interface CrewMemory {
  readonly board: BoardMemory;
  readonly mailboxes: SharedArrayBuffer;
  readonly requests: SharedArrayBuffer;
  readonly states: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  /** Saved state for the threads of harts to go on from. */
  readonly restored: SharedArrayBuffer;
}

/** @param doorbell the word that the machine's thread sleeps on. */
export const crewMemory = (harts: number, doorbell: SharedArrayBuffer): CrewMemory => ({
  board: boardMemory(harts, doorbell),
  mailboxes: mailboxMemory(harts),
  requests: requestMemory(harts),
  states: new SharedArrayBuffer(HartStates.bytes(harts)),
  events: new SharedArrayBuffer(FirmwareEvents.bytes(harts)),
  restored: new SharedArrayBuffer(harts * SAVED_BYTES),
});

/** Where saved state of a hart is left for its thread. */
export const restoredArea = (memory: SharedArrayBuffer, hart: number): HartArea => ({
  words: new Int32Array(memory, hart * SAVED_BYTES, SAVED_BYTES / 4),
  doublewords: new BigInt64Array(memory, hart * SAVED_BYTES, SAVED_BYTES / 8),
});

/** What SBI needs of the thread. */
export interface Firmware {
  readonly console: SbiConsole;
  reset(reset: SystemReset): void;
}

export class Crew implements Surroundings {
  readonly callsEndSlices = true;
  readonly board: Board;
  readonly states: HartStates;
  readonly events: FirmwareEvents;
  /** All harts but this thread's; at its place is undefined. */
  readonly others: readonly (RemoteHart | undefined)[];
  readonly #memory: GuestMemory;
  readonly #hart: Hart;
  readonly #mailbox: Mailbox;
  readonly #isInterrupted: () => boolean;
  readonly #meanwhile: () => void;
  #hurriedSlices = 0;
  #fences = 0;

  /** @param isInterrupted see `Surroundings`. @param meanwhile is called while it waits for others: serves their requests. */
  constructor(
    memory: GuestMemory,
    shared: CrewMemory,
    hart: Hart,
    processor: Processor,
    isInterrupted: () => boolean,
    meanwhile: () => void,
  ) {
    this.#memory = memory;
    this.#hart = hart;
    this.#isInterrupted = isInterrupted;
    this.#meanwhile = meanwhile;
    this.board = new Board(shared.board);
    this.states = new HartStates(this.board.threads, shared.states);
    this.events = new FirmwareEvents(this.board.threads, shared.events);
    const mailbox = new Mailbox(memory, this.board, shared.mailboxes, hart.index, hart, processor);
    this.#mailbox = mailbox;
    this.others = Array.from({ length: this.board.threads }, (_, index) =>
      index === hart.index ? undefined : new RemoteHart(memory, this.board, index, () => mailbox),
    );
    memory.onWrite = (address, length) => mailbox.writing(address, length);
    memory.onTranslate = (page) => mailbox.translating(page);
    hart.isCodePage = (page) => processor.isCodePage(page);
  }

  get interrupted(): boolean {
    return this.#isInterrupted();
  }

  enter(hart: Hart): void {
    this.board.enter(hart.index);
    this.#mailbox.receive();
  }

  /** Another hart waits for this one: its next slices are short. */
  hurry(): void {
    this.#hurriedSlices = HURRIED_SLICES;
  }

  /** Instructions that the next slice may have at most. */
  nextSlice(): number {
    if (this.#fences !== this.#mailbox.fences) {
      this.#fences = this.#mailbox.fences;
      this.hurry();
    }
    if (this.#hurriedSlices === 0) return SliceLength.threads;
    this.#hurriedSlices--;
    return SliceLength.hurried;
  }

  leave(hart: Hart): void {
    this.board.leave(hart.index);
  }

  codeFence(): void {
    this.#mailbox.codeFence();
    this.#mailbox.receive();
  }

  /** Reads messages although the hart does not run: they would pile up, and what they void costs memory. */
  receive(): void {
    this.#mailbox.receive();
  }

  /** What serves SBI calls of this thread's hart. */
  sbiHost({ console, reset }: Firmware): SbiHost {
    const own = new HartPort(this.#hart);
    const harts: SbiHart[] = this.others.map((other) => other ?? own);
    return {
      memory: this.#memory,
      harts,
      states: this.states,
      events: this.events,
      counters: new PerformanceCounters(harts, this.events),
      console,
      started: (hart) => this.board.wake(hart),
      fenced: (harts) => this.#mailbox.awaitFences(harts, this.#meanwhile),
      reset,
    };
  }
}
