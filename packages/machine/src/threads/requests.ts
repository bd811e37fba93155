/**
 * Requests of other threads' harts to the machine's thread, which has the devices: accesses to registers, bytes of the
 * console, resets. Each hart has one slot, in which it leaves a request and waits for the answer.
 */
import type { PhysicalBus } from "../bus.ts";
import type { SbiConsole, SystemReset } from "../sbi/host.ts";
import { awaitChange, type Board } from "./board.ts";

const Kind = { read: 1, write: 2, consoleWrite: 3, consoleRead: 4, shutdown: 5, failure: 6, reboot: 7 } as const;
const State = { idle: 0, asked: 1, answered: 2 } as const;

/** Words of a slot; values are 64 bits wide. `size` is in bytes; `accepted` is 1 if a device answered. */
const Slot = { state: 0, kind: 1, size: 2, accepted: 3, address: 4, value: 6, payload: 8 } as const;
const PAYLOAD_BYTES = 1024;
const SLOT_BYTES = Slot.payload * 4 + PAYLOAD_BYTES;

export const requestMemory = (threads: number): SharedArrayBuffer => new SharedArrayBuffer(threads * SLOT_BYTES);

class RequestSlot {
  readonly words: Int32Array;
  readonly doublewords: BigInt64Array;
  readonly payload: Uint8Array;

  constructor(memory: SharedArrayBuffer, thread: number) {
    const offset = thread * SLOT_BYTES;
    this.words = new Int32Array(memory, offset, Slot.payload);
    this.doublewords = new BigInt64Array(memory, offset, Slot.payload / 2);
    this.payload = new Uint8Array(memory, offset + Slot.payload * 4, PAYLOAD_BYTES);
  }

  get address(): number {
    return Number(this.doublewords[Slot.address / 2]);
  }

  get value(): bigint {
    return BigInt.asUintN(64, this.doublewords[Slot.value / 2]);
  }

  set value(value: bigint) {
    this.doublewords[Slot.value / 2] = value;
  }
}

/** The asking side: what a hart on a thread of its own has instead of devices. */
export class RemoteDevices implements PhysicalBus {
  readonly #slot: RequestSlot;
  readonly #board: Board;
  readonly console: SbiConsole;

  constructor(memory: SharedArrayBuffer, board: Board, thread: number) {
    this.#slot = new RequestSlot(memory, thread);
    this.#board = board;
    this.console = { write: (bytes) => this.#writeConsole(bytes), read: (limit) => this.#readConsole(limit) };
  }

  read(address: number, bytes: number): bigint | undefined {
    return this.#ask(Kind.read, address, bytes, 0n) ? this.#slot.value : undefined;
  }

  write(address: number, bytes: number, value: bigint): boolean {
    return this.#ask(Kind.write, address, bytes, value);
  }

  /** The hart must not go on behind it: the machine ends, or its thread is paused and begins again. */
  reset({ type, failed }: SystemReset): void {
    this.#ask(type === "reboot" ? Kind.reboot : failed ? Kind.failure : Kind.shutdown, 0, 0, 0n);
  }

  #writeConsole(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length) {
      const chunk = bytes.subarray(taken, taken + PAYLOAD_BYTES);
      this.#slot.payload.set(chunk);
      this.#ask(Kind.consoleWrite, 0, chunk.length, 0n);
      taken += Number(this.#slot.value);
      if (Number(this.#slot.value) < chunk.length) break;
    }
    return taken;
  }

  #readConsole(limit: number): Uint8Array {
    this.#ask(Kind.consoleRead, 0, Math.min(limit, PAYLOAD_BYTES), 0n);
    return this.#slot.payload.slice(0, Number(this.#slot.value));
  }

  /** Asks and waits for the answer. False if no device took it, or if the machine stops meanwhile. */
  #ask(kind: number, address: number, size: number, value: bigint): boolean {
    const { words, doublewords } = this.#slot;
    words[Slot.kind] = kind;
    words[Slot.size] = size;
    doublewords[Slot.address / 2] = BigInt(address);
    this.#slot.value = value;
    Atomics.store(words, Slot.state, State.asked);
    this.#board.wake(0);
    while (Atomics.load(words, Slot.state) === State.asked) {
      if (this.#board.stopping) return false;
      awaitChange(words, Slot.state, State.asked);
    }
    return words[Slot.accepted] === 1;
  }
}

/** What serves requests: the machine. */
export interface RequestTarget {
  readonly bus: PhysicalBus;
  readonly console: SbiConsole;
  reset(reset: SystemReset): void;
}

/** The answering side. */
export class RequestServer {
  readonly #slots: readonly RequestSlot[];
  readonly #target: RequestTarget;

  constructor(memory: SharedArrayBuffer, threads: number, target: RequestTarget) {
    this.#slots = Array.from({ length: threads - 1 }, (_, index) => new RequestSlot(memory, index + 1));
    this.#target = target;
  }

  /** Answers what has been asked. True if there was anything. */
  serve(): boolean {
    let served = false;
    for (const slot of this.#slots) {
      if (Atomics.load(slot.words, Slot.state) !== State.asked) continue;
      slot.words[Slot.accepted] = this.#answer(slot) ? 1 : 0;
      Atomics.store(slot.words, Slot.state, State.answered);
      Atomics.notify(slot.words, Slot.state);
      served = true;
    }
    return served;
  }

  #answer(slot: RequestSlot): boolean {
    const { bus, console } = this.#target;
    const size = slot.words[Slot.size];
    switch (slot.words[Slot.kind]) {
      case Kind.read: {
        const value = bus.read(slot.address, size);
        slot.value = value ?? 0n;
        return value !== undefined;
      }
      case Kind.write:
        return bus.write(slot.address, size, slot.value);
      case Kind.consoleWrite:
        // A copy: the console may keep the bytes.
        slot.value = BigInt(console.write(slot.payload.slice(0, size)));
        return true;
      case Kind.consoleRead: {
        const bytes = console.read(size);
        slot.payload.set(bytes);
        slot.value = BigInt(bytes.length);
        return true;
      }
      case Kind.reboot:
        this.#target.reset({ type: "reboot", failed: false });
        return true;
      default:
        this.#target.reset({ type: "shutdown", failed: slot.words[Slot.kind] === Kind.failure });
        return true;
    }
  }
}
