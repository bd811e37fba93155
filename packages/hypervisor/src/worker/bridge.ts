/**
 * Joins a channel to a device of the machine, on the machine's thread. A channel's end and a device each take only as
 * much as they have room for; what is left over waits here, so a bridge holds at most one chunk per direction.
 */
import { Receiver, Sender } from "../channel/channel.ts";
import type { PortWiring } from "../partition/wiring.ts";

/** Most bytes offered to a device at a time. */
const CHUNK_BYTES = 16 * 1024;
const NOTHING = new Uint8Array(0);

/** From the owner to the device. */
export class InputBridge {
  readonly #receiver: Receiver;
  #held: Uint8Array = NOTHING;
  #pumping = false;

  constructor(wiring: PortWiring) {
    this.#receiver = new Receiver(wiring.input);
  }

  /** Everything the owner has sent is delivered, and there will be no more. */
  get ended(): boolean {
    return this.#held.length === 0 && this.#receiver.ended;
  }

  /**
   * Offers bytes until there are none or until the device takes less than it is given. A device may ask for more while
   * it takes some; that does nothing. @param take how many it took.
   */
  pump(take: (bytes: Uint8Array) => number): void {
    if (this.#pumping) return;
    this.#pumping = true;
    do {
      if (this.#held.length === 0) this.#held = this.#receiver.read(CHUNK_BYTES);
      if (this.#held.length === 0) break;
      this.#held = this.#held.subarray(take(this.#held));
    } while (this.#held.length === 0);
    this.#pumping = false;
  }
}

/** From the device to the owner. */
export class OutputBridge {
  readonly #sender: Sender;
  #held: Uint8Array = NOTHING;

  constructor(wiring: PortWiring) {
    this.#sender = new Sender(wiring.output);
  }

  /** Everything the device has sent is on its way; the device may send more. */
  get clear(): boolean {
    return this.#held.length === 0;
  }

  /** Takes bytes of the device, all of them. @returns `clear`: where it is false, the device has to pause. */
  send(bytes: Uint8Array): boolean {
    this.#held = this.#held.length === 0 ? bytes : concatenate(this.#held, bytes);
    return this.pump();
  }

  /** Moves what is held as far as there is room, and drops it when the owner wants no more. @returns `clear`. */
  pump(): boolean {
    if (this.#held.length === 0) return true;
    this.#held = this.#sender.cancelled ? NOTHING : this.#held.subarray(this.#sender.write(this.#held));
    return this.#held.length === 0;
  }

  close(): void {
    this.#sender.close();
  }
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
