/**
 * Has regions compiled on another thread, so that a hart never waits for it: the hart goes on in the interpreter, and looks
 * between its slices what has come back. Both ends of the port are here. Who calls it: a hart's thread, and
 * the thread that compiles for a guest.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { hartsOf } from "../codegen/runtime-functions.ts";
import type { GuestMemory } from "../memory.ts";
import { PLACES } from "./code-window.ts";
import { RegionCompiler, type RegionCompilerOptions } from "./region-compiler.ts";
import type { CompiledRegions, RegionOrder, RegionService } from "./region-order.ts";

/** What comes first over the port; orders follow. */
interface Introduction {
  readonly memory: WebAssembly.Memory;
  readonly options: RegionCompilerOptions;
  /** One word: how many posts have been answered. */
  readonly answered: SharedArrayBuffer;
}

const TRIM = "trim";

export class RemoteService implements RegionService {
  readonly #port: MessagePort;
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));
  #posts = 0;
  #taken = 0;

  /** @param port whose other end has been given to `serveRegions`. */
  constructor(port: MessagePort, memory: GuestMemory, profile: boolean) {
    this.#port = port;
    const options = { harts: hartsOf(memory), profile };
    const introduction: Introduction = { memory: memory.wasm, options, answered: this.#answered.buffer };
    port.postMessage(introduction);
  }

  get waiting(): number {
    return this.#posts - this.#taken;
  }

  post(orders: readonly RegionOrder[]): void {
    this.#port.postMessage(pack(orders));
    this.#posts++;
  }

  take(): CompiledRegions | undefined {
    if (this.#taken === this.#posts || Atomics.load(this.#answered, 0) === this.#taken) return undefined;
    this.#taken++;
    return receiveMessageOnPort(this.#port)!.message as CompiledRegions;
  }

  trim(): void {
    this.#port.postMessage(TRIM);
  }
}

/** Answers what comes over a port, until it is closed. @param trim gives memory back. */
export function serveRegions(port: MessagePort, trim: () => void): void {
  let compiler: RegionCompiler;
  let answered: Int32Array;
  port.on("message", (message: Introduction | Int32Array | typeof TRIM) => {
    if (message === TRIM) {
      trim();
      return;
    }
    if ("memory" in message) {
      compiler = new RegionCompiler(new Uint8Array(message.memory.buffer), message.options);
      answered = new Int32Array(message.answered);
      return;
    }
    port.postMessage(compiler.compile(unpack(message)));
    Atomics.add(answered, 0, 1);
  });
}

/** Orders as numbers: posting objects takes longer than a hart should wait. */
function pack(orders: readonly RegionOrder[]): Int32Array {
  const numbers: number[] = [];
  for (const { index, places, entries, wished, isHot } of orders) {
    numbers.push(index, isHot ? 1 : 0, entries.length, wished.length, ...places, ...entries, ...wished);
  }
  return Int32Array.from(numbers);
}

function unpack(numbers: Int32Array): RegionOrder[] {
  const orders: RegionOrder[] = [];
  const values = numbers.values();
  const take = (count: number): number[] => Array.from({ length: count }, () => values.next().value!);
  for (let index = values.next(); !index.done; index = values.next()) {
    const [isHot, entries, wished] = take(3) as [number, number, number];
    const places = Uint32Array.from(take(PLACES));
    orders.push({ index: index.value, places, entries: take(entries), wished: take(wished), isHot: isHot === 1 });
  }
  return orders;
}
