/**
 * A machine: memory, harts, platform devices and the processor, and the loop that runs them in slices. All harts take turns
 * on the machine's thread, or each but hart 0 gets one of its own. Who calls it: the thread of a partition, which moves
 * bytes between devices and host, and sleeps while all harts wait.
 */
import { type BootDescription, loadBoot } from "./boot/load.ts";
import { Bus, type InterruptLine, type MmioDevice } from "./bus.ts";
import { type Clock, HostClock, millisecondsUntil } from "./hart/clock.ts";
import { Hart } from "./hart/hart.ts";
import { Signal } from "./hart/layout.ts";
import { hartArea } from "./hart/state.ts";
import { HartRunner, type Surroundings } from "./hart-runner.ts";
import { GuestMemory, PAGE_SIZE } from "./memory.ts";
import { copiesMemory, type PageSource } from "./page-map.ts";
import { VIRTIO_SLOTS, virtioSlot } from "./platform/memory-map.ts";
import { type InterruptTarget, Platform } from "./platform-devices.ts";
import type { Processor, ProcessorFactory } from "./processor.ts";
import { FirmwareEvents } from "./sbi/firmware-events.ts";
import { HartPort, prepareHart } from "./sbi/hart-port.ts";
import { HartStates } from "./sbi/hart-states.ts";
import type { SbiHost, SystemReset } from "./sbi/host.ts";
import { PerformanceCounters } from "./sbi/performance-counters.ts";
import { uartConsole } from "./sbi/uart-console.ts";
import { SliceLength, sliceBudget } from "./slice-budget.ts";
import { restoreHart, saveHart } from "./snapshot/hart-state.ts";
import { checkMachineState, MACHINE_STATE_VERSION, type MachineState } from "./snapshot/machine-state.ts";
import { STALL_MS } from "./threads/crew.ts";
import { MachineThreads, type ThreadOptions } from "./threads/machine-threads.ts";

/** Where a boot comes from when it is needed: a machine that goes on from saved state may never boot. */
export interface BootSource {
  readonly start: "supervisor" | "machine";
  /** Errors: as of `Machine.start`. */
  load(): BootDescription;
}

export interface MachineOptions {
  /** Bytes of RAM, a multiple of 64 KiB. */
  readonly ramSize: number;
  readonly harts: number;
  readonly boot: BootDescription | BootSource;
  /**
   * Keeps account of its pages, as a machine has to that is saved or restored: where pages come from that are not in memory,
   * or true if there are none.
   */
  readonly pages?: PageSource | true;
  readonly processor: ProcessorFactory;
  /** Takes what the guest prints on its serial port; the array is the callee's. */
  readonly onOutput: (bytes: Uint8Array) => void;
  /** The serial port has room for input again after it took less than it was given. */
  readonly onRoom?: () => void;
  /** Default: the host's monotonic clock. */
  readonly clock?: Clock;
  /** Asked at a guest's reboot, when all output is with `onOutput`: start again from the same boot description (default), or stop with `reset`. */
  readonly onReboot?: () => "restart" | "stop";
  /** Gives each hart but the first a thread of its own. The clock has to be a `HostClock` of a time that threads share. */
  readonly threads?: ThreadOptions;
}

/** How a guest ended. `code` is what it gave with `failed`, else 0. */
export interface MachineStop {
  readonly stopped: "poweroff" | "reset" | "failed";
  readonly code: number;
}

/** Writing 0 there resets a virtio device. @spec virtio "MMIO Device Register Layout" */
const VIRTIO_STATUS = 0x70;
/** Bytes of fresh randomness that a guest finds in its device tree. */
const SEED_BYTES = 32;
/** Slices of hart 0 in one call of `runSlice`, when other harts are on threads of their own. */
const SLICES = 5;
/** Between looks whether the threads of harts are there. */
const START_MS = 1;

export class Machine {
  readonly memory: GuestMemory;
  readonly bus = new Bus();
  readonly clock: Clock;
  /** The harts that run on this thread: all of them, or the first one. */
  readonly harts: readonly Hart[];
  /** Of a machine that keeps account of its pages: see `copiesMemory`. */
  readonly copies: SharedArrayBuffer | undefined;
  readonly platform: Platform;
  readonly #options: MachineOptions;
  readonly #runners: readonly HartRunner[];
  readonly #virtio = new Map<number, MmioDevice>();
  readonly #states: HartStates;
  readonly #events: FirmwareEvents;
  readonly #threads: MachineThreads | undefined;
  readonly #turnLength: number;
  #state: "running" | MachineStop = "running";
  #restarting = false;
  #held = false;
  /** The hart that runs now, if one does. */
  #current: Hart | undefined;
  readonly #processor: Processor;

  /** Does not load anything yet: devices are attached first, then `start` is called. */
  constructor(options: MachineOptions) {
    const { harts, threads } = options;
    this.#options = options;
    this.memory = new GuestMemory(options.ramSize, harts);
    const copies = options.pages === undefined ? undefined : copiesMemory(options.ramSize / PAGE_SIZE);
    this.copies = copies;
    if (copies !== undefined) this.memory.mapPages(copies, options.pages === true ? undefined : options.pages);
    this.clock = options.clock ?? new HostClock();
    const start = this.#start;
    const common = { memory: this.memory, bus: this.bus, clock: this.clock, start } as const;
    const local = threads === undefined ? harts : 1;
    this.harts = Array.from({ length: local }, (_, index) => new Hart({ ...common, index }));
    const processor = options.processor(this.memory, this.harts);
    this.#processor = processor;
    let surroundings: Surroundings = this.#taking(local > 1);
    let targets: readonly InterruptTarget[] = this.harts;
    if (threads !== undefined && harts > 1) {
      this.#threads = new MachineThreads({
        ...threads,
        harts,
        memory: this.memory,
        hart: this.harts[0],
        processor,
        bus: this.bus,
        clock: this.clock,
        start,
        console: () => uartConsole(this.platform.uart),
        reset: (reset) => this.#reset(reset),
        copies,
        isInterrupted: () => this.#isInterrupted,
      });
      surroundings = this.#threads.crew;
      targets = this.#threads.crew.others.map((other) => other ?? this.harts[0]);
    } else {
      this.memory.onWrite = (address, length) => processor.written(address, length);
      for (const hart of this.harts) hart.isCodePage = (page) => processor.isCodePage(page);
    }
    this.#turnLength = local > 1 ? SliceLength.turns : SliceLength.alone;
    this.#states = this.#threads?.crew.states ?? new HartStates(harts);
    this.#events = this.#threads?.crew.events ?? new FirmwareEvents(harts);
    const states = this.#states;
    this.#runners = this.harts.map((hart) => new HartRunner(hart, processor, states, surroundings));
    this.platform = new Platform(this.bus, targets, this.clock, {
      output: (bytes) => options.onOutput(bytes),
      onRoom: () => options.onRoom?.(),
      onPowerOff: (code) => this.#stop({ stopped: code === 0 ? "poweroff" : "failed", code }),
      onReset: () => this.#reboot(),
    });
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
    this.#threads?.pause();
    const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
    const hardware = { harts: this.#options.harts, virtioSlots: this.#virtioSlots, seed };
    const { boot } = this.#options;
    const entry = loadBoot(this.memory, "load" in boot ? boot.load() : boot, hardware);
    for (const hart of this.harts) prepareHart(hart, entry);
    this.#threads?.crew.others.forEach((other) => void other?.clearPending());
    this.platform.reset();
    this.platform.rom.fill(entry.rom);
    for (const device of this.#virtio.values()) device.write(VIRTIO_STATUS, 4, 0);
    this.#states.reset();
    this.#events.reset();
    const started = entry.mode === "supervisor" ? 1 : this.#states.count;
    for (let hart = 0; hart < started; hart++) this.#states.resume(hart);
    this.#serveSbi(entry.mode);
    this.#threads?.begin(entry);
  }

  /** Brings every hart out of guest code until `release`: nothing of the machine changes but by its devices. */
  hold(): void {
    this.#threads?.pause();
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#threads?.resume();
  }

  /**
   * From now on RAM can be saved as it is now, whatever the guest does behind `release`: see `PageMap.take`. While it is held.
   */
  holdPages(): void {
    if (!this.#held || this.memory.pages === undefined) throw new Error("a machine's pages cannot be held");
    this.memory.pages.hold();
    for (const hart of this.harts) hart.fenceAddresses(undefined, undefined);
    for (const other of this.#threads?.crew.others ?? []) other?.fenceAddresses(undefined, undefined);
  }

  /** The state of a machine that is held, but for RAM and the devices in slots. */
  save(): MachineState {
    if (!this.#held) throw new Error("a machine was saved that is not held");
    return {
      version: MACHINE_STATE_VERSION,
      ramSize: this.memory.ramSize,
      start: this.#start,
      virtioSlots: this.#virtioSlots,
      ticks: this.clock.ticks(),
      harts: Array.from({ length: this.#options.harts }, (_, hart) => saveHart(hartArea(this.memory, hart))),
      hartStates: this.#states.save(),
      events: this.#events.save(),
      platform: this.platform.save(),
    };
  }

  /**
   * Instead of `start`: goes on from saved state. RAM and the devices in slots are restored already. Errors: `StateError`, before
   * anything is touched. The machine is another one than the one that was saved: the guest is told.
   */
  restore(saved: unknown): void {
    const { harts } = this.#options;
    const { ramSize } = this.memory;
    const state = checkMachineState(saved, { ramSize, start: this.#start, virtioSlots: this.#virtioSlots, harts });
    this.#threads?.pause();
    this.#states.restore(state.hartStates);
    this.#events.restore(state.events);
    for (const [index, hart] of state.harts.entries()) {
      const local = this.harts[index];
      if (local === undefined) this.#threads?.restore(index, hart);
      else {
        restoreHart(local, hart);
        local.refresh();
      }
    }
    this.platform.restore(state.platform);
    this.platform.generation.renew();
    this.#serveSbi(this.#start);
    this.#threads?.goOn();
  }

  /**
   * Runs every hart of this thread that can run for a while, delivers interrupts, and serves harts on other threads. Always
   * comes back. @param short a shorter while, for devices that are waiting for something.
   */
  runSlice(short = false): void {
    this.platform.update();
    if (this.#threads === undefined) this.#runTurns(short ? SliceLength.short : this.#turnLength);
    else this.#runBeside(this.#threads, this.#runners[0], short ? 1 : SLICES);
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
    for (const runner of this.#runners) {
      if (runner.isStopped) continue;
      if (!runner.isAsleep) return this.clock.now();
      const deadline = runner.hart.nextDeadline();
      if (deadline !== undefined && (earliest === undefined || deadline < earliest)) earliest = deadline;
    }
    return earliest;
  }

  /** `idleDeadline` in milliseconds from now: 0 when a hart can run, infinite when only input can wake one. */
  idleMs(): number {
    if (this.#threads !== undefined && this.#runners[0].isStalled) return STALL_MS;
    if (this.#threads?.hasBegun === false) return START_MS;
    const deadline = this.idleDeadline();
    return deadline === undefined ? Number.POSITIVE_INFINITY : millisecondsUntil(this.clock, deadline);
  }

  /** Every hart is stopped or waits, and no timer and no device could ever wake one. */
  get halted(): boolean {
    // The others first: what they did before they went to sleep has reached this thread's hart then.
    if (this.#threads !== undefined && !this.#threads.crew.board.othersHopeless) return false;
    return this.#runners.every(({ isDeaf }) => isDeaf) && this.idleDeadline() === undefined;
  }

  /**
   * Calls `sleep`, which blocks the thread until the doorbell's count is not `seen`. No device writes to memory meanwhile.
   * With harts on other threads it may wait a moment for the ring instead.
   */
  rest(seen: number, sleep: () => void): void {
    if (this.#threads === undefined) sleep();
    else this.#threads.rest(seen, sleep);
  }

  /** The guest has had little to do for a while: gives back memory that it would only be faster with. */
  trim(): void {
    this.#processor.trim();
  }

  /** Ends the threads of other harts, for good. */
  close(): void {
    this.#threads?.crew.board.stop();
  }

  #runTurns(most: number): void {
    for (const runner of this.#runners) {
      if (this.#isInterrupted) return;
      this.#runOnce(runner, most);
    }
  }

  /** Hart 0, in slices between which the harts of other threads are served. */
  #runBeside(threads: MachineThreads, runner: HartRunner, slices: number): void {
    if (!threads.hasBegun) return;
    for (let slice = 0; slice < slices && !this.#isInterrupted; slice++) {
      const idle = runner.isAsleep || runner.isStopped;
      threads.serve(idle);
      if (idle) threads.crew.receive();
      if (this.#isInterrupted || !this.#runOnce(runner, threads.crew.nextSlice())) return;
    }
  }

  /** False if the hart cannot run, or only waits in a loop. */
  #runOnce(runner: HartRunner, most: number): boolean {
    if (!runner.wake()) return false;
    this.#current = runner.hart;
    runner.runSlice(sliceBudget(runner.hart.nextDeadline(), this.clock, most));
    return !runner.isStalled;
  }

  /** Harts on this thread alone, which take turns if they are several. */
  #taking(turns: boolean): Surroundings {
    const isInterrupted = () => this.#isInterrupted;
    return {
      callsEndSlices: turns,
      enter: (hart) => {
        if (turns) hart.clearReservation();
      },
      leave: () => {},
      codeFence: () => {},
      get interrupted() {
        return isInterrupted();
      },
    };
  }

  get #virtioSlots(): number[] {
    return [...this.#virtio.keys()].sort((a, b) => a - b);
  }

  /** Who the guest's firmware is: we, or its own. */
  get #start(): "supervisor" | "machine" {
    const { boot } = this.#options;
    if ("load" in boot) return boot.start;
    return boot.firmware === undefined ? "supervisor" : "machine";
  }

  #serveSbi(mode: "supervisor" | "machine"): void {
    const sbi = mode === "supervisor" ? this.#sbiHost() : undefined;
    for (const runner of this.#runners) runner.sbi = sbi;
  }

  get #isInterrupted(): boolean {
    return this.#state !== "running" || this.#restarting;
  }

  /** SBI for the harts of this thread. */
  #sbiHost(): SbiHost {
    const firmware = {
      console: uartConsole(this.platform.uart),
      reset: (reset: SystemReset) => this.#reset(reset),
    };
    if (this.#threads !== undefined) return this.#threads.crew.sbiHost(firmware);
    const harts = this.harts.map((hart) => new HartPort(hart));
    const events = this.#events;
    const counters = new PerformanceCounters(harts, events);
    return { memory: this.memory, harts, states: this.#states, events, counters, ...firmware };
  }

  #reset({ type, failed }: SystemReset): void {
    if (type === "reboot") this.#reboot();
    else this.#stop({ stopped: failed ? "failed" : "poweroff", code: failed ? 1 : 0 });
  }

  #reboot(): void {
    this.#restarting = true;
    this.#current?.signal(Signal.leave);
  }

  #stop(stop: MachineStop): void {
    if (this.#state !== "running") return;
    this.#state = stop;
    this.#current?.signal(Signal.leave);
    this.close();
  }
}
