/**
 * A machine: memory, harts, platform devices and the processor, and the loop that runs them in slices on one thread.
 * Who calls it: the thread of a partition, which moves bytes between devices and host, and sleeps while all harts wait.
 */
import { type BootDescription, type BootEntry, loadBoot } from "./boot/load.ts";
import { Bus, type InterruptLine, type MmioDevice } from "./bus.ts";
import { Cause } from "./hart/cause.ts";
import { type Clock, HostClock, millisecondsUntil } from "./hart/clock.ts";
import { Hart } from "./hart/hart.ts";
import { HartState, Signal } from "./hart/layout.ts";
import { GuestMemory } from "./memory.ts";
import { VIRTIO_SLOTS, virtioSlot } from "./platform/memory-map.ts";
import { Platform } from "./platform-devices.ts";
import type { Processor, ProcessorFactory } from "./processor.ts";
import { serveCall } from "./sbi/dispatch.ts";
import { FirmwareEvents } from "./sbi/firmware-events.ts";
import { enterSupervisor, HartPort } from "./sbi/hart-port.ts";
import { HartStates, HartStatus } from "./sbi/hart-states.ts";
import type { SbiHost } from "./sbi/host.ts";
import { PerformanceCounters } from "./sbi/performance-counters.ts";
import { uartConsole } from "./sbi/uart-console.ts";
import { sliceBudget } from "./slice-budget.ts";

export interface MachineOptions {
  /** Bytes of RAM, a multiple of 64 KiB. */
  readonly ramSize: number;
  readonly harts: number;
  readonly boot: BootDescription;
  readonly processor: ProcessorFactory;
  /** Takes what the guest prints on its serial port; the array is the callee's. */
  readonly onOutput: (bytes: Uint8Array) => void;
  /** The serial port has room for input again after it took less than it was given. */
  readonly onRoom?: () => void;
  /** Default: the host's monotonic clock. */
  readonly clock?: Clock;
  /** Asked at a guest's reboot, when all output is with `onOutput`: start again from the same boot description (default), or stop with `reset`. */
  readonly onReboot?: () => "restart" | "stop";
}

/** How a guest ended. `code` is what it gave with `failed`, else 0. */
export interface MachineStop {
  readonly stopped: "poweroff" | "reset" | "failed";
  readonly code: number;
}

const SIGNAL = HartState.signal / 4;
const BUDGET = HartState.budget / 4;
const CAUSE = HartState.cause / 4;
const ECALL_BYTES = 4n;
const MENVCFG = 0x30a;
const ADUE = 1n << 61n;
/** Writing 0 there resets a virtio device. @spec virtio "MMIO Device Register Layout" */
const VIRTIO_STATUS = 0x70;
/** Returns from generated code in one slice: ends it for a guest that faults forever without retiring anything. */
const MAX_EXITS = 10_000;
/** Bytes of fresh randomness that a guest finds in its device tree. */
const SEED_BYTES = 32;
/** External interrupts: the ones by which the host can wake a hart. */
const EXTERNAL_INTERRUPTS = (1n << 9n) | (1n << 11n);
const MIE = 0x304;

export class Machine {
  readonly memory: GuestMemory;
  readonly bus = new Bus();
  readonly clock: Clock;
  readonly harts: readonly Hart[];
  readonly platform: Platform;
  readonly #options: MachineOptions;
  readonly #processor: Processor;
  readonly #virtio = new Map<number, MmioDevice>();
  #states: HartStates;
  /** What serves environment calls from S-mode, when the hypervisor is the guest's firmware. */
  #sbi: SbiHost | undefined;
  #state: "running" | MachineStop = "running";
  #restarting = false;
  /** The hart that runs now, if one does. */
  #current: Hart | undefined;

  /** Does not load anything yet: devices are attached first, then `start` is called. */
  constructor(options: MachineOptions) {
    this.#options = options;
    this.memory = new GuestMemory(options.ramSize, options.harts);
    this.clock = options.clock ?? new HostClock();
    const start = options.boot.firmware === undefined ? "supervisor" : "machine";
    const common = { memory: this.memory, bus: this.bus, clock: this.clock, start } as const;
    this.harts = Array.from({ length: options.harts }, (_, index) => new Hart({ ...common, index }));
    this.platform = new Platform(this.bus, this.harts, this.clock, {
      output: (bytes) => options.onOutput(bytes),
      onRoom: () => options.onRoom?.(),
      onPowerOff: (code) => this.#stop({ stopped: code === 0 ? "poweroff" : "failed", code }),
      onReset: () => this.#reboot(),
    });
    this.#states = new HartStates(options.harts);
    const processor = options.processor(this.memory, this.harts);
    this.#processor = processor;
    this.memory.onWrite = (address, length) => processor.written(address, length);
    for (const hart of this.harts) {
      hart.isCodePage = (page) => processor.isCodePage(page);
      hart.instructionFence = () => processor.codeChanged();
    }
  }

  /** "running", also before `start` and through reboots, or how the guest ended. */
  get state(): "running" | MachineStop {
    return this.#state;
  }

  /**
   * Puts a device into a virtio-mmio slot, 0 to 7, and into the device tree. Before `start` only.
   * @param create makes the slot's registers, given the device's interrupt line.
   */
  attachVirtio<Device extends MmioDevice>(slot: number, create: (line: InterruptLine) => Device): Device {
    if (!(slot >= 0 && slot < VIRTIO_SLOTS) || this.#virtio.has(slot)) throw new Error(`no free virtio slot ${slot}`);
    const { base, size, interrupt } = virtioSlot(slot);
    const device = create(this.platform.plic.line(interrupt));
    this.bus.attach(base, size, device);
    this.#virtio.set(slot, device);
    return device;
  }

  /** Loads kernel or firmware and puts the harts at their entry. @throws BootError when that cannot be done. */
  start(): void {
    const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
    const hardware = { harts: this.harts.length, virtioSlots: [...this.#virtio.keys()].sort(), seed };
    const entry = loadBoot(this.memory, this.#options.boot, hardware);
    for (const hart of this.harts) hart.reset(BigInt(entry.address), BigInt(entry.deviceTree));
    this.platform.reset();
    for (const device of this.#virtio.values()) device.write(VIRTIO_STATUS, 4, 0);
    this.#states = new HartStates(this.harts.length);
    if (entry.mode === "supervisor") this.#startDirect();
    else this.#startFirmware(entry);
  }

  /** Runs every hart that can run for one budget, and delivers interrupts. Always comes back. */
  runSlice(): void {
    this.platform.update();
    for (const hart of this.harts) {
      if (this.#state !== "running" || this.#restarting) break;
      if (this.#wake(hart)) this.#run(hart);
    }
    this.#current = undefined;
    this.platform.uart.flush();
    if (!this.#restarting || this.#state !== "running") return;
    this.#restarting = false;
    if (this.#options.onReboot?.() === "stop") this.#stop({ stopped: "reset", code: 0 });
    else this.start();
  }

  /** Ticks at which the machine wants to run again: now, when a timer is due, or undefined when only input can wake it. */
  idleDeadline(): bigint | undefined {
    let earliest = this.platform.deadline();
    for (const hart of this.harts) {
      if (this.#states.status(hart.index) === HartStatus.stopped) continue;
      if (!this.#isAsleep(hart)) return this.clock.now();
      const deadline = hart.nextDeadline();
      if (deadline !== undefined && (earliest === undefined || deadline < earliest)) earliest = deadline;
    }
    return earliest;
  }

  /** `idleDeadline` in milliseconds from now: 0 when a hart can run, infinite when only input can wake one. */
  idleMs(): number {
    const deadline = this.idleDeadline();
    return deadline === undefined ? Number.POSITIVE_INFINITY : millisecondsUntil(this.clock, deadline);
  }

  /** Every hart is stopped or waits, and no timer and no device could ever wake one. */
  get halted(): boolean {
    if (this.idleDeadline() !== undefined) return false;
    return this.harts.every(
      (hart) =>
        this.#states.status(hart.index) === HartStatus.stopped ||
        ((hart.readCsr(MIE) ?? 0n) & EXTERNAL_INTERRUPTS) === 0n,
    );
  }

  #startDirect(): void {
    const { memory, harts } = this;
    const events = new FirmwareEvents(harts.length);
    const ports = harts.map((hart) => new HartPort(hart));
    const host: SbiHost = {
      memory,
      harts: ports,
      states: this.#states,
      events,
      counters: new PerformanceCounters(ports, events),
      console: uartConsole(this.platform.uart),
      reset: ({ type, failed }) => {
        if (type === "reboot") this.#reboot();
        else this.#stop({ stopped: failed ? "failed" : "poweroff", code: failed ? 1 : 0 });
      },
    };
    for (const hart of harts) {
      // The device tree says "svadu" without "svade": the hardware updates A and D bits.
      hart.writeCsr(MENVCFG, (hart.readCsr(MENVCFG) ?? 0n) | ADUE);
    }
    this.#sbi = host;
    this.#states.resume(0);
  }

  #startFirmware({ nextStage }: BootEntry): void {
    for (const hart of this.harts) {
      hart.setX(12, BigInt(nextStage));
      this.#states.resume(hart.index);
    }
  }

  /** Whether a hart can run: completes a pending start and ends a wait that an interrupt is there for. */
  #wake(hart: Hart): boolean {
    const status = this.#states.status(hart.index);
    if (status === HartStatus.stopped) return false;
    hart.updateTimer();
    if (this.#isAsleep(hart)) return false;
    if (status !== HartStatus.started) {
      const entry = this.#states.resume(hart.index);
      if (entry !== undefined) enterSupervisor(hart, entry);
    }
    return true;
  }

  /** Whether a hart waits and nothing that it waits for is pending. */
  #isAsleep(hart: Hart): boolean {
    const suspended = this.#states.status(hart.index) === HartStatus.suspended;
    return (suspended || hart.waiting) && hart.pendingAndEnabled === 0;
  }

  #run(hart: Hart): void {
    const { index, words } = hart;
    const shared = this.harts.length > 1;
    if (shared) hart.clearReservation();
    this.#current = hart;
    hart.beginSlice(sliceBudget(hart.nextDeadline(), this.clock, shared));
    for (let exits = 0; exits < MAX_EXITS; exits++) {
      hart.takeInterrupt();
      if (hart.waiting) return;
      this.#processor.run(index);
      const called = words[SIGNAL] === Signal.exception && words[CAUSE] === Cause.supervisorCall;
      if (called && this.#sbi !== undefined) this.#serve(hart, this.#sbi);
      else if (words[SIGNAL] === Signal.exception) hart.takeException();
      words[SIGNAL] = Signal.none;
      // What a call did may concern other harts, and the caller often waits for them: its turn ends.
      if (words[BUDGET] < 0 || (called && shared) || !this.#goesOn(index)) return;
    }
  }

  /**
   * Answers an SBI call. Not within the call-out of the ECALL: translated code keeps registers to itself until it is left.
   */
  #serve(hart: Hart, sbi: SbiHost): void {
    hart.words[SIGNAL] = Signal.none;
    if (serveCall(sbi, hart.index)) hart.pc += ECALL_BYTES;
    else if (hart.words[SIGNAL] === Signal.exception) hart.takeException();
  }

  /** Whether the running hart has not stopped or suspended itself, nor ended or restarted the machine. */
  #goesOn(index: number): boolean {
    return this.#state === "running" && !this.#restarting && this.#states.status(index) === HartStatus.started;
  }

  #reboot(): void {
    this.#restarting = true;
    this.#current?.signal(Signal.leave);
  }

  #stop(stop: MachineStop): void {
    if (this.#state !== "running") return;
    this.#state = stop;
    this.#current?.signal(Signal.leave);
  }
}
