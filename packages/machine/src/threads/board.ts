/**
 * The words that the threads of one machine share besides guest memory: who runs, who sleeps, who has to stop. A thread
 * runs one hart, and bears its number; thread 0 is the machine's own, with all devices. Who calls it: the loops of threads.
 */
import type { BootEntry } from "../boot/load.ts";

/** Words of the whole machine. */
const Shared = { pause: 0, stopping: 1, generation: 2, device: 3, mode: 4, words: 16 } as const;
/** Words of each thread, a cache line or more apart. */
const Own = { wake: 0, epoch: 1, awaited: 2, parked: 3, up: 4, idleAt: 5, asleep: 6, begun: 7, words: 32 } as const;
/** 64-bit words of the whole machine: where harts begin. */
const Boot = { address: 0, deviceTree: 1, nextStage: 2, count: 3 } as const;

/** `mode` of a generation that does not boot. */
const GOES_ON = 2;

/** How often a thread looks again before it sleeps: a few microseconds, as long as waking a sleeper takes. */
const SPINS = 400;
/** Bounds a sleep, so that the end of a partition is noticed whatever happened to the thread that should have told. */
const PATIENCE_MS = 100;
/** `idleAt` of a thread whose hart something other than another hart can wake. */
const HOPEFUL = -1;

/** What a `Board` is made from; it can be posted to another thread. */
export interface BoardMemory {
  readonly words: SharedArrayBuffer;
  /** Thread 0 sleeps on this word, which others ring too: the one of its `Doorbell`. */
  readonly doorbell: SharedArrayBuffer;
  readonly threads: number;
}

export const boardMemory = (threads: number, doorbell: SharedArrayBuffer): BoardMemory => ({
  words: new SharedArrayBuffer(Boot.count * 8 + 8 + (Shared.words + threads * Own.words) * 4),
  doorbell,
  threads,
});

export class Board {
  readonly threads: number;
  readonly #words: Int32Array;
  readonly #doorbell: Int32Array;
  readonly #boot: BigInt64Array;

  constructor({ words, doorbell, threads }: BoardMemory) {
    this.threads = threads;
    this.#boot = new BigInt64Array(words, 0, Boot.count);
    this.#words = new Int32Array(words, Boot.count * 8 + 8);
    this.#doorbell = new Int32Array(doorbell);
  }

  // ---- sleeping and waking

  /** Changes whenever a thread is woken: read it, look for work, and sleep only while it is the same. */
  wakeCount(thread: number): number {
    return thread === 0 ? Atomics.load(this.#doorbell, 0) : this.#load(thread, Own.wake);
  }

  /** Makes a thread look for work, if it sleeps. Telling the host of it is left out if it does not: that costs most. */
  wake(thread: number): void {
    const words = thread === 0 ? this.#doorbell : this.#words;
    const word = thread === 0 ? 0 : at(thread, Own.wake);
    Atomics.add(words, word, 1);
    if (this.#load(thread, Own.asleep) !== 0) Atomics.notify(words, word);
  }

  /** Calls `sleep`, which blocks the thread until it is woken or its time is over. */
  asleep(thread: number, sleep: () => void): void {
    Atomics.store(this.#words, at(thread, Own.asleep), 1);
    sleep();
    Atomics.store(this.#words, at(thread, Own.asleep), 0);
  }

  sleep(thread: number, seen: number, timeoutMs: number): void {
    if (timeoutMs <= 0) return;
    const words = thread === 0 ? this.#doorbell : this.#words;
    const word = thread === 0 ? 0 : at(thread, Own.wake);
    this.asleep(thread, () => Atomics.wait(words, word, seen, timeoutMs));
  }

  // ---- who is in guest code

  /** A hart begins to run guest code. What others asked of it before it sees now. */
  enter(thread: number): void {
    Atomics.add(this.#words, at(thread, Own.epoch), 1);
  }

  leave(thread: number): void {
    Atomics.add(this.#words, at(thread, Own.epoch), 1);
    if (Atomics.load(this.#words, at(thread, Own.awaited)) === 0) return;
    Atomics.store(this.#words, at(thread, Own.awaited), 0);
    Atomics.notify(this.#words, at(thread, Own.epoch));
  }

  /** Counts entries and leaves: odd while the thread is in guest code. */
  epoch(thread: number): number {
    return this.#load(thread, Own.epoch);
  }

  /** Whether a thread has been out of guest code since its epoch was read. */
  hasLeft(thread: number, epoch: number): boolean {
    return (epoch & 1) === 0 || this.epoch(thread) !== epoch;
  }

  /** Waits until `hasLeft`, or until the machine stops. @param meanwhile is called again and again. */
  awaitLeave(thread: number, epoch: number, meanwhile: () => void): void {
    const word = at(thread, Own.epoch);
    for (let spin = 0; !this.hasLeft(thread, epoch); spin++) {
      meanwhile();
      if (this.stopping) return;
      if (spin < SPINS) {
        Atomics.pause();
        continue;
      }
      Atomics.store(this.#words, at(thread, Own.awaited), 1);
      // The thread may have left before it could see that it is awaited, and thread 0 has others to serve.
      Atomics.wait(this.#words, word, epoch, 0.2);
    }
  }

  /** The same count for what devices write: it goes on with every round of thread 0, and is even while that sleeps. */
  get deviceEpoch(): number {
    return Atomics.load(this.#words, Shared.device);
  }

  nextDeviceRound(): void {
    const epoch = Atomics.load(this.#words, Shared.device);
    Atomics.store(this.#words, Shared.device, (epoch & 1) === 0 ? epoch + 1 : epoch + 2);
  }

  devicesRest(): void {
    if ((this.deviceEpoch & 1) !== 0) Atomics.add(this.#words, Shared.device, 1);
  }

  // ---- boot, pause and end

  /** Counts the starts of the machine. */
  get generation(): number {
    return Atomics.load(this.#words, Shared.generation);
  }

  /** Where harts begin in this generation. */
  get boot(): BootEntry {
    const wide = (index: number): number => Number(this.#boot[index]);
    return {
      mode: Atomics.load(this.#words, Shared.mode) === 1 ? "machine" : "supervisor",
      address: wide(Boot.address),
      deviceTree: wide(Boot.deviceTree),
      nextStage: wide(Boot.nextStage),
    };
  }

  /** Whether this generation goes on from saved state, and does not boot. */
  get goesOn(): boolean {
    return Atomics.load(this.#words, Shared.mode) === GOES_ON;
  }

  /** Begins a generation that goes on from saved state; call it while the others are paused. */
  goOn(): void {
    Atomics.store(this.#words, Shared.mode, GOES_ON);
    Atomics.add(this.#words, Shared.generation, 1);
  }

  /** Begins a generation; call it while the others are paused. */
  begin({ mode, address, deviceTree, nextStage }: BootEntry): void {
    this.#boot[Boot.address] = BigInt(address);
    this.#boot[Boot.deviceTree] = BigInt(deviceTree);
    this.#boot[Boot.nextStage] = BigInt(nextStage);
    Atomics.store(this.#words, Shared.mode, mode === "machine" ? 1 : 0);
    Atomics.add(this.#words, Shared.generation, 1);
  }

  /** A thread's hart is about to run in this generation. */
  noteBegun(thread: number, generation: number): void {
    Atomics.store(this.#words, at(thread, Own.begun), generation);
    this.wake(0);
  }

  /** Whether all threads but 0 have noted it. */
  get othersHaveBegun(): boolean {
    const { generation } = this;
    for (let thread = 1; thread < this.threads; thread++) {
      if (this.#load(thread, Own.begun) !== generation) return false;
    }
    return true;
  }

  /** Brings all other threads to rest outside guest code. @param meanwhile serves what they may still wait for. */
  pause(meanwhile: () => void): void {
    const pause = Atomics.add(this.#words, Shared.pause, 1) + 1;
    for (let thread = 1; thread < this.threads; thread++) this.wake(thread);
    for (let thread = 1; thread < this.threads; thread++) {
      // A thread that is not up yet looks at `pause` before anything else.
      while (this.#load(thread, Own.up) === 1 && this.#load(thread, Own.parked) !== pause && !this.stopping) {
        const seen = this.wakeCount(0);
        meanwhile();
        if (this.#load(thread, Own.parked) !== pause) this.sleep(0, seen, 1);
      }
    }
  }

  resume(): void {
    Atomics.add(this.#words, Shared.pause, 1);
    for (let thread = 1; thread < this.threads; thread++) this.wake(thread);
  }

  /** Whether a thread has to rest; it says so by asking. */
  mustPause(thread: number): boolean {
    const pause = Atomics.load(this.#words, Shared.pause);
    if (this.#load(thread, Own.up) === 0) Atomics.store(this.#words, at(thread, Own.up), 1);
    if ((pause & 1) === 0) return false;
    if (Atomics.exchange(this.#words, at(thread, Own.parked), pause) !== pause) this.wake(0);
    return true;
  }

  /** Whether threads are to come out of guest code: to rest, or for good. */
  get interrupts(): boolean {
    return (Atomics.load(this.#words, Shared.pause) & 1) !== 0 || this.stopping;
  }

  get stopping(): boolean {
    return Atomics.load(this.#words, Shared.stopping) !== 0;
  }

  /** Ends all threads, for good. */
  stop(): void {
    if (Atomics.exchange(this.#words, Shared.stopping, 1) !== 0) return;
    for (let thread = 0; thread < this.threads; thread++) this.wake(thread);
  }

  // ---- whether anything can go on

  /** Notes that a thread's hart sleeps since `wakeCount` was `seen`, and that only another hart can wake it. */
  noteHopeless(thread: number, seen: number): void {
    const count = seen & 0x7fff_ffff;
    if (Atomics.exchange(this.#words, at(thread, Own.idleAt), count) !== count) this.wake(0);
  }

  noteHopeful(thread: number): void {
    Atomics.store(this.#words, at(thread, Own.idleAt), HOPEFUL);
  }

  /** Whether all threads but 0 sleep and only another hart can wake them. */
  get othersHopeless(): boolean {
    // Twice: what one that is asked late did to one that was asked early shows in its count.
    for (let round = 0; round < 2; round++) {
      for (let thread = 1; thread < this.threads; thread++) {
        if (this.#load(thread, Own.idleAt) !== (this.wakeCount(thread) & 0x7fff_ffff)) return false;
      }
    }
    return true;
  }

  #load(thread: number, word: number): number {
    return Atomics.load(this.#words, at(thread, word));
  }
}

const at = (thread: number, word: number): number => Shared.words + thread * Own.words + word;

/** Waits for a word of shared memory to change from `value`: spins, then sleeps at most for `PATIENCE_MS`. */
export function awaitChange(words: Int32Array, index: number, value: number): void {
  for (let spin = 0; spin < SPINS; spin++) {
    if (Atomics.load(words, index) !== value) return;
    Atomics.pause();
  }
  Atomics.wait(words, index, value, PATIENCE_MS);
}
