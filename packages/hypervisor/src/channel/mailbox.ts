/**
 * A mailbox: the asynchronous side of a thread that must not block, such as a main thread. It turns one doorbell into
 * promises: reads and writes of channels are tried again whenever the doorbell rings. Without a ring it costs nothing.
 */
import type { Receiver, Sender } from "./channel.ts";
import type { Doorbell } from "./doorbell.ts";

export class Mailbox {
  readonly doorbell: Doorbell;
  readonly #waiting = new Set<() => void>();
  #listening = false;
  #closed = false;

  constructor(doorbell: Doorbell) {
    this.doorbell = doorbell;
  }

  /** Next bytes of a channel, at least one; undefined at its end or once the mailbox is closed and the channel is empty. */
  async read(channel: Receiver, limit?: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const seen = this.doorbell.count;
      const data = channel.read(limit);
      if (data.length > 0) return data;
      if (channel.ended || this.#closed) return undefined;
      await this.#rung(seen);
    }
  }

  /** Resolves with true when all bytes are in the ring, or with false when the channel has ended and some are lost. */
  async write(channel: Sender, data: Uint8Array): Promise<boolean> {
    for (let sent = 0; ; ) {
      const seen = this.doorbell.count;
      sent += channel.write(data.subarray(sent));
      if (sent === data.length) return true;
      if (channel.cancelled || channel.closed || this.#closed) return false;
      await this.#rung(seen);
    }
  }

  /** Ends all waiting: reads give what is left and then undefined, writes give false. */
  close(): void {
    this.#closed = true;
    this.doorbell.ring();
    this.#wake();
  }

  #rung(seen: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      if (!this.#listening) void this.#listen(seen);
      else if (this.doorbell.count !== seen) this.#wake();
    });
  }

  async #listen(seen: number): Promise<void> {
    this.#listening = true;
    await this.doorbell.changed(seen);
    this.#listening = false;
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
