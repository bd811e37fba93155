/**
 * The owner's end of a guest's network cable, to be plugged into a switch: asynchronous, bounded, and batched. A frame
 * for which there is no room is refused, and `onRoom` tells when there is some again.
 */
import type { Abilities, Frame } from "@bulkhead/network";
import { Doorbell } from "../channel/doorbell.ts";
import { FrameReceiver, FrameSender } from "../channel/frame-ring.ts";
import type { LinkWiring } from "./wiring.ts";

/** Frames taken at a time, before other work of the thread gets its turn. */
const BATCH_FRAMES = 64;

/** What wants the guest's frames. */
export interface LinkListener {
  /** A frame of the guest's; its bytes are only lent. */
  frame(frame: Frame): void;
  /** There is room again. */
  room(): void;
}

export class HostLink {
  readonly #sender: FrameSender;
  readonly #receiver: FrameReceiver;
  readonly #doorbell: Doorbell;
  #refused = false;
  #closed = false;

  constructor({ toGuest, fromGuest }: LinkWiring) {
    this.#sender = new FrameSender(toGuest);
    this.#receiver = new FrameReceiver(fromGuest);
    this.#doorbell = new Doorbell(toGuest.sender);
  }

  /** What frames for the guest may leave undone. */
  get abilities(): Abilities {
    return this.#sender.abilities;
  }

  /** Takes a frame for the guest, if there is room. `flush` sends it off. */
  deliver({ parts, length, offload }: Frame): boolean {
    if (this.#closed) return true;
    const taken = this.#sender.write(parts, length, offload);
    this.#refused ||= !taken;
    return taken;
  }

  flush(): void {
    this.#sender.flush();
  }

  /** Hands over what the guest sends, to the last frame before `close`. Doesn't keep a process alive. */
  async listen(listener: LinkListener): Promise<void> {
    for (;;) {
      const seen = this.#doorbell.count;
      const last = this.#closed;
      const frames = this.#take(listener);
      if (last && frames < BATCH_FRAMES) return;
      if (this.#refused && this.#sender.room) {
        this.#refused = false;
        listener.room();
      }
      if (frames === BATCH_FRAMES) await turn();
      else await this.#doorbell.changed(seen);
    }
  }

  /** The partition has stopped: frames go nowhere from now on. */
  close(): void {
    this.#closed = true;
    this.#doorbell.ring();
  }

  #take(listener: LinkListener): number {
    let frames = 0;
    for (; frames < BATCH_FRAMES; frames++) {
      const frame = this.#receiver.next();
      if (frame === undefined) break;
      listener.frame(frame);
      this.#receiver.drop();
    }
    this.#receiver.flush();
    return frames;
  }
}

/** Lets the event loop go round once. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
