/** A network device's cable on the machine's thread: frames through rings to whoever owns the partition. */
import type { NetBackend } from "@bulkhead/devices";
import type { Abilities, Frame, Offload } from "@bulkhead/network";
import { FrameReceiver, FrameSender } from "../channel/frame-ring.ts";
import type { LinkWiring } from "../partition/wiring.ts";

export class LinkBackend implements NetBackend {
  readonly #sender: FrameSender;
  readonly #receiver: FrameReceiver;

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

  flush(): void {
    this.#sender.flush();
    this.#receiver.flush();
  }

  accept(abilities: Abilities): void {
    this.#receiver.accept(abilities);
  }
}
