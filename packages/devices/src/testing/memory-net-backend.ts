/** A network backend of plain lists, for the tests of the device. */
import { type Abilities, type Frame, frameOf, noAbilities, type Offload } from "@bulkhead/network";
import type { NetBackend } from "../net/backend.ts";

export class MemoryNetBackend implements NetBackend {
  /** Frames from the guest, oldest first. */
  readonly sent: Frame[] = [];
  /** Frames for the guest, next first. */
  readonly incoming: Frame[] = [];
  abilities: Abilities = noAbilities;
  flushes = 0;
  readonly #capacity: number;

  /** @param capacity frames from the guest that are kept until somebody takes them out of `sent`. */
  constructor(capacity = 1024) {
    this.#capacity = capacity;
  }

  get room(): boolean {
    return this.sent.length < this.#capacity;
  }

  send(parts: readonly Uint8Array[], length: number, offload: Offload): void {
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.sent.push(frameOf(bytes, offload));
  }

  next(): Frame | undefined {
    return this.incoming[0];
  }

  drop(): void {
    this.incoming.shift();
  }

  settle(): void {
    this.flush();
  }

  flush(): void {
    this.flushes++;
  }

  accept(abilities: Abilities): void {
    this.abilities = abilities;
  }
}
