/**
 * The logical counters of the PMU extension: `cycle` and `instret` under their CSR offsets, as Linux expects, and
 * counters of firmware events behind them. @spec sbi "Performance Monitoring Unit Extension"
 */
import { FIRMWARE_EVENTS, type FirmwareEvents } from "./firmware-events.ts";
import type { SbiHart } from "./host.ts";

export const CYCLE_COUNTER = 0;
export const INSTRET_COUNTER = 2;
/** First counter of firmware events, and how many there are. Counter 1 would be `time` and is not valid. */
export const FIRST_FIRMWARE_COUNTER = 3;
export const FIRMWARE_COUNTERS = 16;
export const COUNTERS = FIRST_FIRMWARE_COUNTER + FIRMWARE_COUNTERS;

/** `mcycle`; `mcycle + 2` is `minstret`. */
const MCYCLE = 0xb00;
const MCOUNTINHIBIT = 0x320;
const HARDWARE_EVENTS: Record<number, number> = { 1: CYCLE_COUNTER, 2: INSTRET_COUNTER };
const FIRMWARE_TYPE = 15;

export const isCounter = (index: number): boolean => index >= 0 && index < COUNTERS && index !== 1;
export const isFirmwareCounter = (index: number): boolean => index >= FIRST_FIRMWARE_COUNTER && index < COUNTERS;

/** A firmware counter: its event's total, shifted so that it stands still while stopped and starts where told. */
interface FirmwareCounter {
  event: number | undefined;
  started: boolean;
  /** While stopped the value itself; while started what to add to the event's total. */
  offset: bigint;
}

export class PerformanceCounters {
  readonly #harts: readonly SbiHart[];
  readonly #events: FirmwareEvents;
  readonly #firmware: FirmwareCounter[][];
  /** Event index that a fixed counter is configured for, by hart and counter. */
  readonly #fixed: Map<number, number>[];

  constructor(harts: readonly SbiHart[], events: FirmwareEvents) {
    this.#harts = harts;
    this.#events = events;
    this.#fixed = harts.map(() => new Map());
    this.#firmware = harts.map(() =>
      Array.from({ length: FIRMWARE_COUNTERS }, () => ({ event: undefined, started: false, offset: 0n })),
    );
  }

  /** Whether a counter could count an event (20 bits: type and code). */
  canCount(counter: number, event: number): boolean {
    const type = event >> 16;
    const code = event & 0xffff;
    if (type === 0) return HARDWARE_EVENTS[code] === counter;
    return type === FIRMWARE_TYPE && code < FIRMWARE_EVENTS && isFirmwareCounter(counter);
  }

  /** Whether a counter is neither started nor claimed for an event. */
  isFree(hart: number, counter: number): boolean {
    const claimed = isFirmwareCounter(counter)
      ? this.#counter(hart, counter).event !== undefined
      : this.#fixed[hart].has(counter);
    return !claimed && !this.isStarted(hart, counter);
  }

  configure(hart: number, counter: number, event: number): void {
    if (isFirmwareCounter(counter)) {
      const { offset } = this.#stopped(hart, counter);
      this.#firmware[hart][counter - FIRST_FIRMWARE_COUNTER] = { event: event & 0xffff, started: false, offset };
    } else this.#fixed[hart].set(counter, event);
  }

  /** Whether `start` makes sense: a firmware counter needs an event first. */
  isConfigured(hart: number, counter: number): boolean {
    return !isFirmwareCounter(counter) || this.#counter(hart, counter).event !== undefined;
  }

  isStarted(hart: number, counter: number): boolean {
    if (isFirmwareCounter(counter)) return this.#counter(hart, counter).started;
    return ((this.#harts[hart].readCsr(MCOUNTINHIBIT) >> BigInt(counter)) & 1n) === 0n;
  }

  start(hart: number, counter: number): void {
    if (!isFirmwareCounter(counter)) {
      this.#inhibit(hart, counter, false);
      return;
    }
    const state = this.#counter(hart, counter);
    if (!state.started) state.offset -= this.#events.total(hart, state.event!);
    state.started = true;
  }

  stop(hart: number, counter: number): void {
    if (isFirmwareCounter(counter)) this.#stopped(hart, counter);
    else this.#inhibit(hart, counter, true);
  }

  /** Takes the counter's event away, so that it can be matched again. */
  release(hart: number, counter: number): void {
    if (isFirmwareCounter(counter)) this.#stopped(hart, counter).event = undefined;
    else this.#fixed[hart].delete(counter);
  }

  /** Sets the value of a counter, started or not. */
  write(hart: number, counter: number, value: bigint): void {
    if (!isFirmwareCounter(counter)) {
      this.#harts[hart].writeCsr(MCYCLE + counter, value);
      return;
    }
    const state = this.#counter(hart, counter);
    state.offset = state.started ? value - this.#events.total(hart, state.event!) : value;
  }

  /** Value of a firmware counter. */
  readFirmware(hart: number, counter: number): bigint {
    const { event, started, offset } = this.#counter(hart, counter);
    return BigInt.asUintN(64, started ? offset + this.#events.total(hart, event!) : offset);
  }

  #counter(hart: number, counter: number): FirmwareCounter {
    return this.#firmware[hart][counter - FIRST_FIRMWARE_COUNTER];
  }

  #stopped(hart: number, counter: number): FirmwareCounter {
    const state = this.#counter(hart, counter);
    if (state.started) state.offset += this.#events.total(hart, state.event!);
    state.started = false;
    return state;
  }

  #inhibit(hart: number, counter: number, inhibited: boolean): void {
    const bit = 1n << BigInt(counter);
    const old = this.#harts[hart].readCsr(MCOUNTINHIBIT);
    this.#harts[hart].writeCsr(MCOUNTINHIBIT, inhibited ? old | bit : old & ~bit);
  }
}
