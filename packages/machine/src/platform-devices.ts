/** The platform's devices, put on the bus where the memory map says. Who makes it: the machine. */
import type { Bus } from "./bus.ts";
import type { Clock } from "./hart/clock.ts";
import { Clint } from "./platform/clint.ts";
import { Generation } from "./platform/generation.ts";
import { GoldfishRtc } from "./platform/goldfish-rtc.ts";
import { type MemoryMapEntry, memoryMap } from "./platform/memory-map.ts";
import { Plic } from "./platform/plic.ts";
import { ROM, Rom } from "./platform/rom.ts";
import { Syscon, type SysconEvents } from "./platform/syscon.ts";
import { Uart, type UartEvents } from "./platform/uart.ts";
import type { PlatformState } from "./snapshot/machine-state.ts";

/** Nanoseconds per tick of the timebase. */
const TICK_NS = 100n;

/** A hart as the interrupt controllers see it. */
export interface InterruptTarget {
  setPending(bit: number, level: boolean): unknown;
}

export class Platform {
  readonly plic: Plic;
  readonly clint: Clint;
  readonly uart: Uart;
  readonly rtc: GoldfishRtc;
  readonly generation: Generation;
  readonly rom = new Rom();
  readonly #clock: Clock;

  constructor(bus: Bus, harts: readonly InterruptTarget[], clock: Clock, events: UartEvents & SysconEvents) {
    const setPending = (hart: number, bit: number, level: boolean) => harts[hart].setPending(bit, level);
    this.#clock = clock;
    this.plic = new Plic(harts.length, setPending);
    this.clint = new Clint(harts.length, clock, setPending);
    this.uart = new Uart(this.plic.line(memoryMap.uart.interrupt), events);
    this.rtc = new GoldfishRtc(this.plic.line(memoryMap.rtc.interrupt));
    this.generation = new Generation(this.plic.line(memoryMap.generation.interrupt));
    const { plic, clint, uart, rtc, generation } = this;
    const devices = { plic, clint, uart, rtc, generation, test: new Syscon(events) };
    for (const [name, { base, size }] of Object.entries<MemoryMapEntry>(memoryMap)) {
      bus.attach(base, size, devices[name as keyof typeof memoryMap]);
    }
    bus.attach(ROM.base, ROM.size, this.rom);
  }

  /** As after power-on; the harts' pending bits follow. */
  reset(): void {
    this.uart.reset();
    this.rtc.reset();
    this.generation.reset();
    this.plic.reset();
    this.clint.reset();
  }

  save(): PlatformState {
    return {
      plic: this.plic.save(),
      clint: this.clint.save(),
      uart: this.uart.save(),
      rtc: this.rtc.save(),
      generation: this.generation.save(),
      rom: this.rom.save(),
    };
  }

  /** Interrupt lines and the harts' pending bits follow. */
  restore(state: PlatformState): void {
    this.plic.restore(state.plic);
    this.clint.restore(state.clint);
    this.uart.restore(state.uart);
    this.rtc.restore(state.rtc);
    this.generation.restore(state.generation);
    this.rom.restore(state.rom);
  }

  /** Raises the timer interrupts that are due. */
  update(): void {
    this.clint.update();
    this.rtc.update();
  }

  /** When the next timer of the platform fires, in ticks; undefined if none is set. */
  deadline(): bigint | undefined {
    const timer = this.clint.deadline();
    const alarm = this.rtc.untilAlarm();
    if (alarm === undefined) return timer;
    const ticks = this.#clock.now() + alarm / TICK_NS;
    return timer === undefined || ticks < timer ? ticks : timer;
  }
}
