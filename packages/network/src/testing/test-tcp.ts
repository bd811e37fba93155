/** One end of a TCP connection for tests: sends again whatever is not acknowledged when it is told to. */
import type { IpAddress } from "../wire/address.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { GuestStack } from "./guest-stack.ts";

const [FIN, SYN, RST, PSH, ACK] = [1, 2, 4, 8, 16];

export class TestTcp {
  readonly #stack: GuestStack;
  readonly remote: IpAddress;
  readonly remotePort: number;
  readonly localPort: number;
  #next: number;
  #unacknowledged: number;
  #expected = 0;
  #peerScale = 0;
  peerWindow = 0;
  peerMss = 0;
  #queue: Uint8Array[] = [];
  /** What was sent and is not acknowledged. */
  #flight: { sequence: number; payload: Uint8Array; fin: boolean }[] = [];
  #ending = false;
  #finSent = false;
  readonly received: Uint8Array[] = [];
  receivedBytes = 0;
  open = false;
  peerEnded = false;
  wasReset = false;
  /** The window field that is told, with a scale of 7; and payload of each segment. */
  window = 0xffff;
  segmentBytes = 1460;
  /** Acknowledges nothing any more. */
  silent = false;
  #changed: (() => void)[] = [];

  constructor(stack: GuestStack, remote: IpAddress, remotePort: number, localPort: number, initial = 0xffff_f000) {
    this.#stack = stack;
    this.remote = remote;
    this.remotePort = remotePort;
    this.localPort = localPort;
    this.#next = initial;
    this.#unacknowledged = initial;
  }

  call(): void {
    this.#emit(SYN, new Uint8Array(0), { mss: 1460, scale: 7 }, this.#unacknowledged);
    this.#next = (this.#unacknowledged + 1) >>> 0;
  }

  answer(syn: TcpSegment): void {
    this.#expected = (syn.sequence + 1) >>> 0;
    this.#peerScale = syn.scale ?? 0;
    this.#emit(SYN | ACK, new Uint8Array(0), { mss: 1460, scale: 7 }, this.#unacknowledged);
    this.#next = (this.#unacknowledged + 1) >>> 0;
    this.#unacknowledged = this.#next;
    this.open = true;
  }

  send(payload: Uint8Array | string): void {
    this.#queue.push(typeof payload === "string" ? new TextEncoder().encode(payload) : payload);
    this.#push();
  }

  end(): void {
    this.#ending = true;
    this.#push();
  }

  reset(): void {
    this.#emit(RST | ACK, new Uint8Array(0));
    this.wasReset = true;
  }

  /** Sends again what is not acknowledged. */
  again(): void {
    if (!this.open && !this.wasReset) this.call();
    for (const { sequence, payload, fin } of this.#flight) {
      this.#emit(ACK | PSH | (fin ? FIN : 0), payload, {}, sequence);
    }
    if (this.open) this.#emit(ACK, new Uint8Array(0));
  }

  acknowledge(): void {
    this.#emit(ACK, new Uint8Array(0));
  }

  /** Any segment, its numbers relative to what would be right. */
  wild(flags: number, payload: Uint8Array, sequence = 0, acknowledgement = 0): void {
    this.#emit(flags, payload, {}, (this.#next + sequence) >>> 0, (this.#expected + acknowledgement) >>> 0);
  }

  get text(): string {
    return Buffer.concat(this.received).toString();
  }

  get allSent(): boolean {
    return this.#queue.length === 0 && this.#flight.length === 0;
  }

  /** Resolves when the condition holds. */
  async until(condition: (it: TestTcp) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#changed.push(resolve));
    return this;
  }

  receive(segment: TcpSegment): void {
    this.#take(segment);
    for (const resolve of this.#changed.splice(0)) resolve();
  }

  #take(segment: TcpSegment): void {
    const { flags, sequence, acknowledgement, payload } = segment;
    if ((flags & RST) !== 0) {
      this.wasReset = true;
      return;
    }
    if ((flags & SYN) !== 0) {
      if (this.open) {
        this.acknowledge();
        return;
      }
      this.#expected = (sequence + 1) >>> 0;
      this.#peerScale = segment.scale ?? 0;
      this.peerMss = segment.mss ?? 0;
      this.peerWindow = segment.window;
      this.#unacknowledged = acknowledgement;
      this.open = true;
      this.acknowledge();
      this.#push();
      return;
    }
    this.peerWindow = segment.window << this.#peerScale;
    this.#acknowledged(acknowledgement);
    const fin = (flags & FIN) !== 0;
    if (payload.length > 0 || fin) {
      const offset = (this.#expected - sequence) | 0;
      if (offset >= 0 && offset <= payload.length && !this.peerEnded) {
        const fresh = payload.slice(offset);
        if (fresh.length > 0) this.received.push(fresh);
        this.receivedBytes += fresh.length;
        this.#expected = (this.#expected + fresh.length + (fin ? 1 : 0)) >>> 0;
        if (fin) this.peerEnded = true;
      }
      if (!this.silent) this.acknowledge();
    }
    this.#push();
  }

  #acknowledged(acknowledgement: number): void {
    if (((acknowledgement - this.#unacknowledged) | 0) <= 0) return;
    this.#unacknowledged = acknowledgement;
    this.#flight = this.#flight.filter(({ sequence, payload, fin }) => {
      const end = (sequence + payload.length + (fin ? 1 : 0)) >>> 0;
      return ((end - acknowledgement) | 0) > 0;
    });
  }

  #push(): void {
    if (!this.open) return;
    for (;;) {
      const first = this.#queue[0];
      const room = this.peerWindow - ((this.#next - this.#unacknowledged) | 0);
      if (first === undefined || room <= 0) break;
      const payload = first.subarray(0, Math.min(this.segmentBytes, room));
      if (payload.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(payload.length);
      this.#flight.push({ sequence: this.#next, payload, fin: false });
      this.#emit(ACK | PSH, payload);
      this.#next = (this.#next + payload.length) >>> 0;
    }
    if (!this.#ending || this.#finSent || this.#queue.length > 0) return;
    this.#finSent = true;
    this.#flight.push({ sequence: this.#next, payload: new Uint8Array(0), fin: true });
    this.#emit(FIN | ACK, new Uint8Array(0));
    this.#next = (this.#next + 1) >>> 0;
  }

  #emit(
    flags: number,
    payload: Uint8Array,
    options: { mss?: number; scale?: number } = {},
    sequence = this.#next,
    acknowledgement = this.#expected,
  ): void {
    const header = {
      sourcePort: this.localPort,
      destinationPort: this.remotePort,
      sequence,
      acknowledgement,
      flags,
      window: this.window,
      ...options,
    };
    this.#stack.segment(this.remote, header, payload, payload.length > 1460 ? 1460 : 0);
  }
}
