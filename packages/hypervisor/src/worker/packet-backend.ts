/** A socket device's cable on the machine's thread: packets through rings to whoever owns the partition. */
import { MOST_PACKET_BYTES, VSOCK_HEADER_BYTES, type VsockBackend } from "@bulkhead/devices";
import { noOffload } from "@bulkhead/network";
import { FrameReceiver, FrameSender } from "../channel/frame-ring.ts";
import type { LinkWiring } from "../partition/wiring.ts";

export class PacketBackend implements VsockBackend {
  readonly #sender: FrameSender;
  readonly #receiver: FrameReceiver;

  constructor({ fromGuest, toGuest }: LinkWiring) {
    this.#sender = new FrameSender(fromGuest);
    this.#receiver = new FrameReceiver(toGuest);
  }

  get room(): boolean {
    return this.#sender.hasRoomFor(VSOCK_HEADER_BYTES + MOST_PACKET_BYTES);
  }

  send(parts: readonly Uint8Array[], length: number): void {
    this.#sender.write(parts, length, noOffload);
  }

  next(): Uint8Array | undefined {
    return this.#receiver.next()?.parts[0];
  }

  drop(): void {
    this.#receiver.drop();
  }

  flush(): void {
    this.#sender.flush();
    this.#receiver.flush();
  }
}
