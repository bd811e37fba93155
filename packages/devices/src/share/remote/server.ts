/** The serving side of a share in a thread of its own. Who calls it: that thread. */
import type { Exchange } from "../exchange.ts";
import type { FuseSession } from "../fuse/session.ts";
import { RemoteShareState, SlotMemory, SlotWord } from "./memory.ts";

/** How long a thread looks for the next request before it sleeps: waking it up costs more than this. */
const SPIN_MS = 0.05;

/** A slot's request, and its room for the answer. */
class SlotExchange implements Exchange {
  readonly #request: Uint8Array;
  readonly #answer: Uint8Array;
  #read = 0;
  answered = 0;

  constructor(memory: SlotMemory, slot: number) {
    this.#request = memory.request(slot, memory.get(slot, SlotWord.request));
    this.#answer = memory.answer(slot, memory.get(slot, SlotWord.room));
  }

  get readable(): number {
    return this.#request.length - this.#read;
  }

  get writable(): number {
    return this.#answer.length - this.answered;
  }

  readInto(into: Uint8Array): void {
    into.set(this.#request.subarray(this.#read, this.#read + into.length));
    this.#read = Math.min(this.#request.length, this.#read + into.length);
  }

  readViews(length: number): Uint8Array[] {
    const view = this.#request.subarray(this.#read, this.#read + length);
    this.#read += view.length;
    return view.length === 0 ? [] : [view];
  }

  writeViews(length: number): Uint8Array[] {
    const view = this.#answer.subarray(this.answered, this.answered + length);
    this.answered += view.length;
    return view.length === 0 ? [] : [view];
  }
}

/** Serves a share until its device closes it. Blocks the thread. @param wake lets the device know that something is answered. */
export function serveShare(shared: SharedArrayBuffer, session: FuseSession, wake: () => void): void {
  const memory = new SlotMemory(shared);
  for (let taken = 0; ; ) {
    const seen = memory.bell;
    const slot = memory.next("submitted", taken);
    if (slot !== undefined) {
      taken = (taken + 1) | 0;
      serveSlot(memory, slot, session);
      wake();
    } else if (memory.state !== RemoteShareState.open) return;
    else rest(memory, seen);
  }
}

function serveSlot(memory: SlotMemory, slot: number, session: FuseSession): void {
  const exchange = new SlotExchange(memory, slot);
  const wrong = session.serve(exchange) ?? "";
  if (wrong !== "") memory.answer(slot, wrong.length).set(new TextEncoder().encode(wrong));
  memory.set(slot, SlotWord.wrong, wrong.length);
  memory.set(slot, SlotWord.answer, exchange.answered);
  memory.push("completed", slot);
}

function rest(memory: SlotMemory, seen: number): void {
  const end = performance.now() + SPIN_MS;
  while (performance.now() < end) if (memory.bell !== seen) return;
  memory.sleep(seen);
}
