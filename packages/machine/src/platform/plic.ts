/**
 * PLIC: takes the devices' level-triggered interrupts to the M- and S-mode contexts of the harts.
 * @spec RISC-V Platform-Level Interrupt Controller 1.0.0. Context 2h is hart h's M-mode, 2h+1 its S-mode.
 */
import type { InterruptLine, MmioDevice } from "../bus.ts";
import { HartInterrupt, PLIC_SOURCES } from "./memory-map.ts";
import type { SetPending } from "./signals.ts";

const PENDING = 0x1000;
const ENABLE = 0x2000;
const ENABLE_STRIDE = 0x80;
const CONTEXT = 0x20_0000;
const CONTEXT_STRIDE = 0x1000;

/** Priorities and thresholds have three bits (WARL). */
const PRIORITY_MASK = 7;
const SOURCES = PLIC_SOURCES + 1;
/** Words that hold one bit per source. */
const WORDS = SOURCES / 32;

/** Where the parts of the state begin, in words. */
const PRIORITIES = 0;
/** Requests that a gateway has forwarded and nobody has claimed. */
const PENDING_BITS = PRIORITIES + SOURCES;
/** Requests that were claimed and not completed: their gateways are shut. */
const CLAIMED_BITS = PENDING_BITS + WORDS;
/** What the devices drive. */
const LEVEL_BITS = CLAIMED_BITS + WORDS;
/** Per context: enable bits, then the threshold. */
const CONTEXTS = LEVEL_BITS + WORDS;
const CONTEXT_WORDS = WORDS + 1;

export class Plic implements MmioDevice {
  static stateWords(harts: number): number {
    return CONTEXTS + harts * 2 * CONTEXT_WORDS;
  }

  readonly #contexts: number;
  readonly #setPending: SetPending;
  readonly #state: Int32Array;

  /** @param state `stateWords(harts)` words, may be a view on shared memory. */
  constructor(harts: number, setPending: SetPending, state: Int32Array = new Int32Array(Plic.stateWords(harts))) {
    this.#contexts = harts * 2;
    this.#setPending = setPending;
    this.#state = state;
  }

  /** The line of source 1 to 95. */
  line(source: number): InterruptLine {
    if (source < 1 || source > PLIC_SOURCES) throw new Error(`interrupt source ${source} is not 1 to ${PLIC_SOURCES}`);
    return { set: (level) => this.setLevel(source, level) };
  }

  /** Source 1 to 95 raises or lowers its line. A request that was forwarded stays until it is claimed. */
  setLevel(source: number, level: boolean): void {
    if (this.#bit(LEVEL_BITS, source) === level) return;
    this.#setBit(LEVEL_BITS, source, level);
    if (this.#forward(source)) this.#drive();
  }

  /** Forgets everything but the levels that devices drive. */
  reset(): void {
    this.#state.fill(0, 0, LEVEL_BITS);
    this.#state.fill(0, CONTEXTS);
    for (let source = 1; source < SOURCES; source++) this.#forward(source);
    this.#drive();
  }

  read(offset: number, bytes: number): number {
    if (bytes !== 4 || offset % 4 !== 0) return 0;
    const context = this.#contextOf(offset);
    if (context >= 0 && offset % CONTEXT_STRIDE === 4) return this.#claim(context);
    const word = this.#wordAt(offset);
    return word < 0 ? 0 : this.#state[word] >>> 0;
  }

  write(offset: number, bytes: number, value: number): void {
    if (bytes !== 4 || offset % 4 !== 0) return;
    const context = this.#contextOf(offset);
    if (context >= 0 && offset % CONTEXT_STRIDE === 4) this.#complete(context, value);
    else this.#writeWord(this.#wordAt(offset), value);
  }

  save(): number[] {
    return [...this.#state];
  }

  restore(saved: readonly number[]): void {
    this.#state.set(saved);
    this.#drive();
  }

  /** Which context's threshold and claim registers an offset is among, or -1. */
  #contextOf(offset: number): number {
    const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE);
    return context >= 0 && context < this.#contexts ? context : -1;
  }

  /** Index in the state of the plain register at an offset, or -1. */
  #wordAt(offset: number): number {
    if (offset < SOURCES * 4) return PRIORITIES + offset / 4;
    if (offset >= PENDING && offset < PENDING + WORDS * 4) return PENDING_BITS + (offset - PENDING) / 4;
    if (offset >= ENABLE && offset < ENABLE + this.#contexts * ENABLE_STRIDE) {
      const word = (offset % ENABLE_STRIDE) / 4;
      return word < WORDS ? this.#enableAt(Math.floor((offset - ENABLE) / ENABLE_STRIDE)) + word : -1;
    }
    const context = this.#contextOf(offset);
    return context >= 0 && offset % CONTEXT_STRIDE === 0 ? this.#enableAt(context) + WORDS : -1;
  }

  #enableAt(context: number): number {
    return CONTEXTS + context * CONTEXT_WORDS;
  }

  /** Pending bits are not the guest's to write. */
  #writeWord(word: number, value: number): void {
    if (word < 0 || (word >= PENDING_BITS && word < CONTEXTS)) return;
    this.#state[word] = this.#legal(word, value);
    this.#drive();
  }

  /** Priorities and thresholds keep three bits; source 0 has neither a priority nor an enable bit. */
  #legal(word: number, value: number): number {
    if (word === PRIORITIES) return 0;
    if (word < PENDING_BITS || (word - CONTEXTS) % CONTEXT_WORDS === WORDS) return value & PRIORITY_MASK;
    return (word - CONTEXTS) % CONTEXT_WORDS === 0 ? value & ~1 : value;
  }

  /** The gateway: a level becomes one request, and the next one only after completion. True if it did. */
  #forward(source: number): boolean {
    if (!this.#bit(LEVEL_BITS, source) || this.#bit(CLAIMED_BITS, source) || this.#bit(PENDING_BITS, source))
      return false;
    this.#setBit(PENDING_BITS, source, true);
    return true;
  }

  /** Takes the pending request with the highest priority (the lowest source among equals); not bound by the threshold. */
  #claim(context: number): number {
    const source = this.#best(context);
    if (source === 0) return 0;
    this.#setBit(PENDING_BITS, source, false);
    this.#setBit(CLAIMED_BITS, source, true);
    this.#drive();
    return source;
  }

  /** Ignored for a source that is not enabled for the context, as the specification asks. */
  #complete(context: number, source: number): void {
    if (source >= SOURCES || !this.#bit(this.#enableAt(context), source)) return;
    this.#setBit(CLAIMED_BITS, source, false);
    if (this.#forward(source)) this.#drive();
  }

  #best(context: number): number {
    const enable = this.#enableAt(context);
    let best = 0;
    for (let word = 0; word < WORDS; word++) {
      let bits = this.#state[PENDING_BITS + word] & this.#state[enable + word];
      while (bits !== 0) {
        const source = word * 32 + 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        if (this.#state[PRIORITIES + source] > this.#state[PRIORITIES + best]) best = source;
      }
    }
    return best;
  }

  #drive(): void {
    for (let context = 0; context < this.#contexts; context++) {
      const threshold = this.#state[this.#enableAt(context) + WORDS];
      const level = this.#state[PRIORITIES + this.#best(context)] > threshold;
      const bit = context % 2 === 0 ? HartInterrupt.machineExternal : HartInterrupt.supervisorExternal;
      this.#setPending(context >> 1, bit, level);
    }
  }

  #bit(part: number, source: number): boolean {
    return ((this.#state[part + (source >> 5)] >>> (source & 31)) & 1) === 1;
  }

  #setBit(part: number, source: number, value: boolean): void {
    const mask = 1 << (source & 31);
    const word = part + (source >> 5);
    this.#state[word] = value ? this.#state[word] | mask : this.#state[word] & ~mask;
  }
}
