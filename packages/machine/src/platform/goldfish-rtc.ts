/**
 * Goldfish real-time clock: nanoseconds since 1970 and one alarm. @spec Goldfish virtual hardware "Goldfish timer";
 * drivers: Linux `rtc-goldfish`, U-Boot. The machine's loop calls `update` and asks for the deadline.
 */
import type { InterruptLine, MmioDevice } from "../bus.ts";

const Register = {
  timeLow: 0x00,
  timeHigh: 0x04,
  alarmLow: 0x08,
  alarmHigh: 0x0c,
  interruptEnabled: 0x10,
  clearAlarm: 0x14,
  alarmStatus: 0x18,
  clearInterrupt: 0x1c,
} as const;

export interface RtcState {
  /** Nanoseconds the guest's clock is ahead of the host's. */
  offset: bigint;
  alarm: bigint;
  armed: boolean;
  pending: boolean;
  enabled: boolean;
  timeHigh: number;
}

const RESET: RtcState = { offset: 0n, alarm: 0n, armed: false, pending: false, enabled: false, timeHigh: 0 };

export class GoldfishRtc implements MmioDevice {
  readonly #line: InterruptLine;
  readonly #wallClock: () => bigint;
  #state: RtcState = { ...RESET };

  /** @param wallClock nanoseconds since 1970. */
  constructor(line: InterruptLine, wallClock: () => bigint = () => BigInt(Date.now()) * 1_000_000n) {
    this.#line = line;
    this.#wallClock = wallClock;
  }

  reset(): void {
    this.restore({ ...RESET, offset: this.#state.offset });
  }

  /** Raises the alarm's interrupt if it is due. */
  update(): void {
    const s = this.#state;
    if (s.armed && s.alarm <= this.#now()) {
      s.armed = false;
      s.pending = true;
    }
    this.#line.set(s.pending && s.enabled);
  }

  /** Nanoseconds until the alarm, or undefined if none is set. */
  untilAlarm(): bigint | undefined {
    if (!this.#state.armed) return undefined;
    const left = this.#state.alarm - this.#now();
    return left > 0n ? left : 0n;
  }

  read(offset: number, bytes: number): number {
    if (bytes !== 4) return 0;
    const s = this.#state;
    if (offset === Register.timeLow) return this.#readTime();
    if (offset === Register.timeHigh) return s.timeHigh;
    if (offset === Register.alarmLow) return Number(s.alarm & 0xffff_ffffn);
    if (offset === Register.alarmHigh) return Number(s.alarm >> 32n);
    if (offset === Register.interruptEnabled) return Number(s.enabled);
    return offset === Register.alarmStatus ? Number(s.armed) : 0;
  }

  write(offset: number, bytes: number, value: number): void {
    if (bytes !== 4) return;
    const s = this.#state;
    if (offset === Register.timeLow) s.offset += deposit(this.#now(), 0n, value) - this.#now();
    else if (offset === Register.timeHigh) s.offset += deposit(this.#now(), 32n, value) - this.#now();
    else if (offset === Register.alarmHigh) s.alarm = deposit(s.alarm, 32n, value);
    else if (offset === Register.alarmLow) {
      s.alarm = deposit(s.alarm, 0n, value);
      s.armed = true;
    } else if (offset === Register.interruptEnabled) s.enabled = (value & 1) === 1;
    else if (offset === Register.clearAlarm) s.armed = false;
    else if (offset === Register.clearInterrupt) s.pending = false;
    this.update();
  }

  save(): RtcState {
    return { ...this.#state };
  }

  restore(state: RtcState): void {
    this.#state = { ...state };
    this.update();
  }

  #now(): bigint {
    return BigInt.asUintN(64, this.#wallClock() + this.#state.offset);
  }

  /** Reading the low half latches the high half. */
  #readTime(): number {
    const now = this.#now();
    this.#state.timeHigh = Number(now >> 32n);
    return Number(now & 0xffff_ffffn);
  }
}

/** `whole` with the 32 bits from `shift` on replaced. */
function deposit(whole: bigint, shift: bigint, value: number): bigint {
  return (whole & ~(0xffff_ffffn << shift)) | (BigInt(value >>> 0) << shift);
}
