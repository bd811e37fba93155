/**
 * The machine's side of harts on threads of their own: asks for the threads, serves what their harts want of devices, and
 * brings them to rest for a start. Who calls it: the machine, on its own thread, which runs hart 0.
 */
import type { BootEntry } from "../boot/load.ts";
import type { PhysicalBus } from "../bus.ts";
import { type Clock, HostClock } from "../hart/clock.ts";
import type { Hart } from "../hart/hart.ts";
import { hartArea, Slot } from "../hart/state.ts";
import type { GuestMemory } from "../memory.ts";
import type { Processor } from "../processor.ts";
import type { SbiConsole, SystemReset } from "../sbi/host.ts";
import { restoreHart, type SavedHart } from "../snapshot/hart-state.ts";
import { Crew, crewMemory, restoredArea } from "./crew.ts";
import type { HartThreadStart } from "./hart-thread.ts";
import { Nap } from "./nap.ts";
import { RequestServer } from "./requests.ts";

/** What the host gives a machine for its threads. */
export interface ThreadOptions {
  /** One word that the machine's thread sleeps on, and that is incremented to wake it. */
  readonly doorbell: SharedArrayBuffer;
  /** Starts a thread that runs a `HartThread`. Called once for each hart but the first, while the machine is made. */
  spawn(start: HartThreadStart): void;
}

interface Parts extends ThreadOptions {
  readonly harts: number;
  readonly memory: GuestMemory;
  readonly hart: Hart;
  readonly processor: Processor;
  readonly bus: PhysicalBus;
  readonly clock: Clock;
  readonly start: "machine" | "supervisor";
  console(): SbiConsole;
  reset(reset: SystemReset): void;
  isInterrupted(): boolean;
  /** Of a machine that keeps account of its pages. */
  readonly copies?: SharedArrayBuffer;
}

/** Looks for another request while hart 0 sleeps, before its thread does too: a driver's next access comes soon. */
const SPINS = 600;

export class MachineThreads {
  readonly crew: Crew;
  readonly #server: RequestServer;
  readonly #nap: Nap;
  readonly #restored: SharedArrayBuffer;
  readonly #memory: GuestMemory;

  constructor(parts: Parts) {
    const { harts, memory, hart, start, clock } = parts;
    if (!(clock instanceof HostClock)) throw new Error("harts on threads of their own need a clock of the host");
    const shared = crewMemory(harts, parts.doorbell);
    this.#memory = memory;
    const serve = (): void => void this.#server.serve();
    this.crew = new Crew(memory, shared, hart, parts.processor, parts.isInterrupted, serve);
    this.#nap = new Nap(this.crew.board, 0);
    let console: SbiConsole | undefined;
    this.#server = new RequestServer(shared.requests, harts, {
      bus: parts.bus,
      get console() {
        console ??= parts.console();
        return console;
      },
      reset: (reset) => parts.reset(reset),
    });
    this.#restored = shared.restored;
    const { copies } = parts;
    const common = { harts, start, crew: shared, ramSize: memory.ramSize, memory: memory.wasm, copies };
    for (let index = 1; index < harts; index++) parts.spawn({ ...common, hart: index, clockOriginMs: clock.originMs });
  }

  /** Serves the requests that are there. @param idle hart 0 has nothing to do: waits a moment for more of them. */
  serve(idle: boolean): void {
    this.crew.board.nextDeviceRound();
    if (!this.#server.serve()) return;
    this.crew.hurry();
    for (let spin = 0; idle && spin < SPINS; spin++) {
      if (this.#server.serve()) spin = 0;
      else Atomics.pause();
    }
  }

  /** Calls `sleep`, or just waits if it should not be for long. No device writes to memory meanwhile. */
  rest(seen: number, sleep: () => void): void {
    const { board } = this.crew;
    board.devicesRest();
    this.#nap.rest(seen, () => board.asleep(0, sleep));
    board.nextDeviceRound();
  }

  /** Whether hart 0 may run: below firmware harts leave reset together, and those of other threads come late. */
  get hasBegun(): boolean {
    const { board } = this.crew;
    return board.boot.mode !== "machine" || board.othersHaveBegun;
  }

  /** Brings the other harts to rest. */
  pause(): void {
    this.crew.board.pause(() => this.#server.serve());
  }

  /** Lets the other harts go on where they were. */
  resume(): void {
    this.crew.board.resume();
  }

  /** Leaves saved state for the thread of a hart. While it is paused. */
  restore(index: number, saved: SavedHart): void {
    restoreHart(restoredArea(this.#restored, index), saved);
    const { words } = hartArea(this.#memory, index);
    for (const name of ["pending", "lines"] as const) {
      Atomics.store(words, Slot[name], Number(BigInt.asIntN(32, saved.csrs[name][0])));
    }
  }

  /** Lets the other harts go on from the state that `restore` has left. */
  goOn(): void {
    this.crew.board.goOn();
    this.crew.board.resume();
  }

  /** Lets the other harts begin where a boot says. */
  begin(entry: BootEntry): void {
    this.crew.board.begin(entry);
    this.crew.board.resume();
  }
}
