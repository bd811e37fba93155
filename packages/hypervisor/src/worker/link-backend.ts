/**
 * A network device's cable on the machine's thread: frames through rings to whoever owns the partition. To wake the
 * owner costs as much as moving many frames, so a guest that sends a lot has it woken once in a slice.
 */
import type { NetBackend } from "@bulkhead/devices";
import type { Abilities, Frame, Offload } from "@bulkhead/network";
import { FrameReceiver, FrameSender } from "../channel/frame-ring.ts";
import type { LinkWiring } from "../partition/wiring.ts";

export class LinkBackend implements NetBackend {
  readonly #sender: FrameSender;
  readonly #receiver: FrameReceiver;
  /** How often frames were made known since the guest's slice began, and whether the owner must still be woken. */
  #shown = 0;
  #owed = false;
  /** In the last slice with frames they came more than once. */
  #many = false;

  constructor({ fromGuest, toGuest }: LinkWiring) {
    this.#sender = new FrameSender(fromGuest);
    this.#receiver = new FrameReceiver(toGuest);
  }

  get room(): boolean {
    return this.#sender.room;
  }

  send(parts: readonly Uint8Array[], length: number, offload: Offload): void {
    this.#sender.write(parts, length, offload);
  }

  next(): Frame | undefined {
    return this.#receiver.next();
  }

  drop(): void {
    this.#receiver.drop();
  }

  /** The first frames of a slice wake the owner at once, unless many are to be expected. */
  flush(): void {
    if (this.#sender.show()) {
      if (this.#shown++ > 0 || this.#many) this.#owed = true;
      else this.#sender.ring();
    }
    this.#receiver.flush();
  }

  /** The guest's slice has ended, perhaps because it waits for an answer. */
  settle(): void {
    if (this.#shown > 0) this.#many = this.#shown > 1;
    this.#shown = 0;
    if (this.#sender.show() || this.#owed) this.#sender.ring();
    this.#owed = false;
    this.#receiver.flush();
  }

  accept(abilities: Abilities): void {
    this.#receiver.accept(abilities);
  }
}
