/** DNS over TCP: messages behind their length, answered on the same connection. @spec RFC 7766 */
import type { HostStream, StreamEvents } from "../host.ts";
import type { DnsForwarder } from "./forwarder.ts";

/** Bytes of queries and answers that a connection may have under way. */
const MOST_BYTES = 256 * 1024;

/** The name server as the other end of a guest's connection. */
export class DnsStream implements HostStream {
  readonly #forwarder: DnsForwarder;
  readonly #events: StreamEvents;
  #received: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #pending = 0;
  #open = true;
  #ended = false;

  constructor(forwarder: DnsForwarder, events: StreamEvents) {
    this.#forwarder = forwarder;
    this.#events = events;
    queueMicrotask(() => {
      if (this.#open) events.connected();
    });
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  write(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#received.length + bytes.length);
    joined.set(this.#received);
    joined.set(bytes, this.#received.length);
    let at = 0;
    while (joined.length - at >= 2) {
      const end = at + 2 + ((joined[at] << 8) | joined[at + 1]);
      if (end > joined.length) break;
      if (this.#pending < MOST_BYTES) void this.#answer(joined.slice(at + 2, end));
      at = end;
    }
    this.#received = joined.slice(at);
  }

  end(): void {
    this.#ended = true;
    this.#endIfDone();
  }

  reset(): void {
    this.#open = false;
  }

  pause(): void {}
  resume(): void {}

  async #answer(query: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#pending += query.length;
    const answer = await this.#forwarder.answer(query, true);
    this.#pending -= query.length;
    if (!this.#open) return;
    if (answer !== undefined && answer.length <= 0xffff) {
      const framed = new Uint8Array(2 + answer.length);
      framed.set([answer.length >> 8, answer.length & 0xff]);
      framed.set(answer, 2);
      this.#events.data(framed);
    }
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#open || !this.#ended || this.#pending > 0) return;
    this.#open = false;
    this.#events.ended();
  }
}
