/**
 * CLINT: software and timer interrupts of M-mode. An ACLINT MSWI device at 0 and an MTIMER device at 0x4000 in the
 * layout of SiFive's CLINT. @spec RISC-V ACLINT "MTIMER Device", "MSWI Device". The machine's loop calls `update`.
 */
import type { MmioDevice } from "../bus.ts";
import type { Clock } from "../hart/clock.ts";
import { HartInterrupt } from "./memory-map.ts";
import type { SetPending } from "./signals.ts";

const MTIMECMP = 0x4000;
const MTIME = 0xbff8;

/** A time that never comes: what `mtimecmp` holds after reset. */
const NEVER = 0xffff_ffff_ffff_ffffn;

export class Clint implements MmioDevice {
  /** Words of the state: offset of `mtime` from the clock (2), then per hart msip and mtimecmp (low, high). */
  static stateWords(harts: number): number {
    return 2 + harts * 3;
  }

  readonly #harts: number;
  readonly #clock: Clock;
  readonly #setPending: SetPending;
  readonly #state: Int32Array;
  /** High half of the `mtime` whose low half was read last, so that an 8-byte read is not torn. */
  #mtimeHigh: number | undefined;

  /** @param state `stateWords(harts)` words, may be a view on shared memory. */
  constructor(
    harts: number,
    clock: Clock,
    setPending: SetPending,
    state: Int32Array = new Int32Array(Clint.stateWords(harts)),
  ) {
    this.#harts = harts;
    this.#clock = clock;
    this.#setPending = setPending;
    this.#state = state;
    this.reset();
  }

  /** Takes all interrupts back: `msip` 0, `mtimecmp` never, `mtime` as the clock has it. */
  reset(): void {
    this.#state.fill(0);
    for (let hart = 0; hart < this.#harts; hart++) this.#setWide(this.#timecmpAt(hart), NEVER);
    this.#drive();
  }

  /** `mtime` in ticks. */
  now(): bigint {
    return BigInt.asUintN(64, this.#clock.now() + this.#wide(0));
  }

  /** Raises the timer interrupts that are due. To be called whenever time may have passed. */
  update(): void {
    const now = this.now();
    for (let hart = 0; hart < this.#harts; hart++) {
      this.#setPending(hart, HartInterrupt.machineTimer, now >= this.#wide(this.#timecmpAt(hart)));
    }
  }

  /** Earliest `mtimecmp` that lies ahead, in ticks of the clock (not of `mtime`), or undefined if there is none. */
  deadline(): bigint | undefined {
    const now = this.now();
    let earliest = NEVER;
    for (let hart = 0; hart < this.#harts; hart++) {
      const compare = this.#wide(this.#timecmpAt(hart));
      if (compare > now && compare < earliest) earliest = compare;
    }
    return earliest === NEVER ? undefined : this.#clock.now() + (earliest - now);
  }

  read(offset: number, bytes: number): number {
    if (bytes !== 4 || offset % 4 !== 0) return 0;
    if (offset === MTIME) return this.#readMtimeLow();
    if (offset === MTIME + 4) return this.#readMtimeHigh();
    const word = this.#wordAt(offset);
    return word === undefined ? 0 : this.#state[word] >>> 0;
  }

  write(offset: number, bytes: number, value: number): void {
    if (bytes !== 4 || offset % 4 !== 0) return;
    const word = this.#wordAt(offset);
    if (offset === MTIME || offset === MTIME + 4) this.#writeMtime(offset === MTIME ? 0n : 32n, value);
    else if (word !== undefined) this.#state[word] = offset < MTIMECMP ? value & 1 : value;
    this.#drive();
  }

  /** The state as plain data, with `mtime` itself, since the clock may be another one after a restore. */
  save(): { mtime: bigint; words: number[] } {
    return { mtime: this.now(), words: [...this.#state] };
  }

  restore(saved: { mtime: bigint; words: readonly number[] }): void {
    this.#state.set(saved.words);
    this.#setWide(0, saved.mtime - this.#clock.now());
    this.#drive();
  }

  #drive(): void {
    for (let hart = 0; hart < this.#harts; hart++) {
      this.#setPending(hart, HartInterrupt.machineSoftware, this.#state[2 + hart] !== 0);
    }
    this.update();
  }

  /** Index in the state of the register at an offset. */
  #wordAt(offset: number): number | undefined {
    if (offset < this.#harts * 4) return 2 + offset / 4;
    const compare = offset - MTIMECMP;
    return compare >= 0 && compare < this.#harts * 8 ? this.#timecmpAt(0) + compare / 4 : undefined;
  }

  #readMtimeLow(): number {
    const now = this.now();
    this.#mtimeHigh = Number(now >> 32n);
    return Number(now & 0xffff_ffffn);
  }

  #readMtimeHigh(): number {
    const high = this.#mtimeHigh ?? Number(this.now() >> 32n);
    this.#mtimeHigh = undefined;
    return high;
  }

  #writeMtime(shift: bigint, value: number): void {
    const now = this.now();
    const changed = (now & ~(0xffff_ffffn << shift)) | (BigInt(value >>> 0) << shift);
    this.#setWide(0, this.#wide(0) + changed - now);
    this.#mtimeHigh = undefined;
  }

  #timecmpAt(hart: number): number {
    return 2 + this.#harts + hart * 2;
  }

  #wide(word: number): bigint {
    return BigInt(this.#state[word] >>> 0) | (BigInt(this.#state[word + 1] >>> 0) << 32n);
  }

  #setWide(word: number, value: bigint): void {
    this.#state[word] = Number(BigInt.asIntN(32, value));
    this.#state[word + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }
}
