/**
 * One connection of a guest's with the outside: TCP towards the guest, a stream of the host's behind. Each half ends on
 * its own, and neither takes more than the other can pass on. @spec RFC 9293 "State Machine Overview"
 *
 *   dialing → synReceived → open → timeWait → closed      the guest calls out
 *   synSent → open → …                                    a published port is called
 */

import { TcpFlag, type TcpHeader, type TcpSegment } from "../../wire/tcp-segment.ts";
import type { ConnectFailure, HostStream, StreamEvents } from "../host.ts";
import { Receiver } from "./receiver.ts";
import { type Outgoing, Sender } from "./sender.ts";
import { advance, ahead } from "./sequence.ts";

/** Windows are told in units of 256 bytes, where the guest can scale them. */
const SCALE = 8;
const HANDSHAKE_MS = 1000;
const MOST_HANDSHAKES = 6;
const TIME_WAIT_MS = 2000;
/** Without any word for so long a connection is taken for dead. @spec RFC 5382 "Idle Timeout" */
const IDLE_MS = 2 * 3600_000 + 240_000;
const DEFAULT_MSS = 536;

type Phase = "dialing" | "synSent" | "synReceived" | "open" | "timeWait" | "closed";

/** What a connection needs of the one who made it. */
export interface TcpLink {
  readonly nowMs: number;
  /** What fits into a packet of this link, and the most that one segment may hold before it is cut. */
  readonly mss: number;
  readonly mostBytes: number;
  /** Bytes that may wait for the host, and as many for the guest. */
  readonly capacity: number;
  /** Sends a segment to the guest. @returns false where there was no room. */
  send(header: Omit<TcpHeader, "sourcePort" | "destinationPort">, parts: readonly Uint8Array[], cut: number): boolean;
  /** `output` is to be called soon. */
  wake(): void;
  /** There is no room: `output` is to be called when there is some. */
  blocked(): void;
  /** The guest's connection could not be made; its SYN had this number. */
  unreachable(why: ConnectFailure, sequence: number): void;
  closed(): void;
}

export class TcpConnection implements StreamEvents {
  readonly #link: TcpLink;
  readonly #initial: number;
  #host: HostStream | undefined;
  #phase: Phase;
  #sender!: Sender;
  #receiver!: Receiver;
  #peerNext = 0;
  #peerMss = DEFAULT_MSS;
  #scaled: number | undefined;
  #peerWindow = 0;
  #acknowledge = false;
  #handshakes = 0;
  #handshakeAtMs = 0;
  #hostPaused = false;
  #hostEnded = false;
  #endPassedOn = false;
  #endsAtMs = Number.POSITIVE_INFINITY;
  #lastMs: number;

  private constructor(link: TcpLink, initial: number, phase: Phase) {
    this.#link = link;
    this.#initial = initial;
    this.#phase = phase;
    this.#lastMs = link.nowMs;
  }

  /** A guest's call: the host is dialled, and the guest answered when that has succeeded. */
  static called(link: TcpLink, initial: number, syn: TcpSegment): TcpConnection {
    const connection = new TcpConnection(link, initial, "dialing");
    connection.#meet(syn);
    return connection;
  }

  /** A call to the guest for a connection that the host has accepted. `output` starts it. */
  static calling(link: TcpLink, initial: number, host: HostStream): TcpConnection {
    const connection = new TcpConnection(link, initial, "synSent");
    connection.#host = host;
    host.pause();
    connection.#hostPaused = true;
    return connection;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** The host's end, once it is being dialled. */
  attach(host: HostStream): void {
    this.#host = host;
  }

  /** A segment from the guest. */
  receive(segment: TcpSegment): void {
    this.#lastMs = this.#link.nowMs;
    if (this.#phase === "dialing") this.#receiveDialing(segment);
    else if (this.#phase === "synSent") this.#receiveCalled(segment);
    else if (this.#phase !== "closed") this.#receiveOpen(segment);
  }

  connected(): void {
    if (this.#phase !== "dialing") return;
    this.#phase = "synReceived";
    this.#open(advance(this.#initial, 1));
    this.#link.wake();
  }

  failed(why: ConnectFailure): void {
    if (this.#phase !== "dialing") return;
    this.#host = undefined;
    if (why === "refused") this.#sendReset();
    else this.#link.unreachable(why, advance(this.#peerNext, -1));
    this.#close();
  }

  data(bytes: Uint8Array): void {
    if (this.#phase === "closed" || this.#phase === "dialing") return;
    this.#lastMs = this.#link.nowMs;
    this.#sender.queue.append(bytes);
    this.#throttle();
    this.#link.wake();
  }

  ended(): void {
    this.#hostEnded = true;
    if (this.#phase === "closed" || this.#sender === undefined) return;
    this.#sender.end();
    this.#link.wake();
  }

  drained(): void {
    if (this.#phase === "open" && this.#receiver.worthTelling(this.#pendingBytes)) {
      this.#acknowledge = true;
      this.#link.wake();
    }
  }

  broken(): void {
    this.#host = undefined;
    this.abort();
  }

  /** Ends the connection at once on both sides. */
  abort(): void {
    if (this.#phase === "closed") return;
    if (this.#phase !== "timeWait") this.#sendReset();
    this.#close();
  }

  /** Sends what can be sent. */
  output(): void {
    if (this.#phase === "synSent" || this.#phase === "synReceived") this.#greet();
    if (this.#phase !== "open" && this.#phase !== "timeWait") return;
    for (let next = this.#sender.take(); next !== undefined; next = this.#sender.take()) {
      if (!this.#sendData(next)) {
        this.#link.blocked();
        return;
      }
    }
    this.#sender.wait(this.#link.nowMs);
    if (this.#acknowledge && !this.#sendPlain()) this.#link.blocked();
    this.#throttle();
  }

  /** Looks at the clock: sends again, gives up, or forgets. */
  tick(): void {
    const now = this.#link.nowMs;
    if (now >= this.#endsAtMs) {
      this.#close();
      return;
    }
    if (now - this.#lastMs > IDLE_MS) {
      this.abort();
      return;
    }
    if (this.#phase === "synSent" || this.#phase === "synReceived") {
      if (now >= this.#handshakeAtMs) this.#link.wake();
    } else if (this.#phase === "open") {
      const before = this.#sender.deadlineMs;
      if (!this.#sender.tick(now)) this.abort();
      else if (this.#sender.deadlineMs !== before) this.#link.wake();
    }
  }

  /** Windows can be scaled where both ends do. */
  get #ownScale(): number {
    return this.#scaled === undefined ? 0 : SCALE;
  }

  get #pendingBytes(): number {
    return this.#host?.pendingBytes ?? 0;
  }

  #meet(syn: TcpSegment): void {
    this.#peerNext = advance(syn.sequence, 1);
    this.#peerMss = Math.max(64, syn.mss ?? DEFAULT_MSS);
    this.#scaled = syn.scale;
    this.#peerWindow = syn.window;
  }

  #open(first: number): void {
    const mss = Math.min(this.#peerMss, this.#link.mss);
    const scale = this.#scaled ?? 0;
    // The window that a SYN tells is not scaled.
    this.#sender = new Sender({ first, window: this.#peerWindow, scale, mss, mostBytes: this.#link.mostBytes });
    const deliver = (bytes: Uint8Array): void => this.#host?.write(bytes);
    this.#receiver = new Receiver(this.#peerNext, () => this.#link.capacity, this.#ownScale, deliver);
    if (this.#hostEnded) this.#sender.end();
  }

  #receiveDialing({ flags }: TcpSegment): void {
    if ((flags & TcpFlag.rst) !== 0) this.#close();
  }

  #receiveCalled(segment: TcpSegment): void {
    const { flags, acknowledgement } = segment;
    const answers = (flags & TcpFlag.ack) !== 0 && acknowledgement === advance(this.#initial, 1);
    if (!answers) return;
    if ((flags & TcpFlag.rst) !== 0) {
      this.#close();
      return;
    }
    if ((flags & TcpFlag.syn) === 0) return;
    this.#meet(segment);
    this.#open(advance(this.#initial, 1));
    this.#phase = "open";
    this.#acknowledge = true;
    this.#link.wake();
  }

  #receiveOpen(segment: TcpSegment): void {
    const { flags, sequence, payload } = segment;
    const offset = ahead(sequence, this.#receiver.next);
    const { window } = this.#receiver;
    if ((flags & TcpFlag.rst) !== 0) {
      this.#receiveReset(offset, window);
      return;
    }
    if ((flags & TcpFlag.syn) !== 0) {
      this.#receiveSyn(segment);
      return;
    }
    if ((flags & TcpFlag.ack) === 0) return;
    const length = payload.length + (flags & TcpFlag.fin);
    if (offset > window || (offset < 0 && offset + length <= 0)) {
      this.#acknowledgeSoon();
      return;
    }
    if (this.#phase === "synReceived" && !this.#established(segment)) return;
    const empty = length === 0;
    if (!this.#sender.acknowledge(segment.acknowledgement, segment.window, empty, this.#link.nowMs)) {
      this.#acknowledgeSoon();
      return;
    }
    if (!empty) this.#takePayload(segment);
    this.#link.wake();
    this.#finishIfDone();
  }

  #established({ acknowledgement }: TcpSegment): boolean {
    const right = acknowledgement === advance(this.#initial, 1);
    if (right) this.#phase = "open";
    else this.abort();
    return right;
  }

  #takePayload({ sequence, payload, flags }: TcpSegment): void {
    this.#receiver.accept(sequence, payload, (flags & TcpFlag.fin) !== 0);
    this.#acknowledge = true;
    if (!this.#receiver.finished || this.#endPassedOn) return;
    this.#endPassedOn = true;
    this.#host?.end();
  }

  /** A reset counts only where the peer must be the one who sent it. @spec RFC 5961 "Blind Reset Attack" */
  #receiveReset(offset: number, window: number): void {
    if (offset === 0) this.#close();
    else if (offset > 0 && offset < window) this.#acknowledgeSoon();
  }

  /** A SYN that comes again wants its answer again; any other is answered with where we are. */
  #receiveSyn({ sequence }: TcpSegment): void {
    if (this.#phase === "synReceived" && advance(sequence, 1) === this.#peerNext) this.#handshakeAtMs = 0;
    else this.#acknowledge = true;
    this.#link.wake();
  }

  #acknowledgeSoon(): void {
    this.#acknowledge = true;
    this.#link.wake();
  }

  #finishIfDone(): void {
    if (this.#phase !== "open" || !this.#receiver.finished || !this.#sender.done) return;
    this.#phase = "timeWait";
    this.#endsAtMs = this.#link.nowMs + TIME_WAIT_MS;
  }

  /** SYN, or SYN and ACK; again after a while. */
  #greet(): void {
    const now = this.#link.nowMs;
    if (now < this.#handshakeAtMs) return;
    if (this.#handshakes === MOST_HANDSHAKES) {
      this.abort();
      return;
    }
    this.#handshakeAtMs = now + HANDSHAKE_MS * 2 ** this.#handshakes++;
    const calling = this.#phase === "synSent";
    const scale = calling || this.#scaled !== undefined ? { scale: SCALE } : {};
    const window = calling ? 0xffff : Math.min(0xffff, this.#receiver.advertise(0) << this.#ownScale);
    const header = {
      sequence: this.#initial,
      acknowledgement: calling ? 0 : this.#peerNext,
      flags: TcpFlag.syn | (calling ? 0 : TcpFlag.ack),
      window,
      mss: this.#link.mss,
      ...scale,
    };
    this.#link.send(header, [], 0);
  }

  #sendData(next: Outgoing): boolean {
    const { sequence, parts, length, fin } = next;
    const mss = Math.min(this.#peerMss, this.#link.mss);
    const flags = TcpFlag.ack | (length > 0 ? TcpFlag.psh : 0) | (fin ? TcpFlag.fin : 0);
    if (!this.#send(sequence, flags, parts, length > mss ? mss : 0)) return false;
    this.#sender.sent(next, this.#link.nowMs);
    return true;
  }

  #sendPlain(): boolean {
    return this.#send(this.#sender.next, TcpFlag.ack, [], 0);
  }

  #send(sequence: number, flags: number, parts: readonly Uint8Array[], cut: number): boolean {
    const window = this.#receiver.advertise(this.#pendingBytes);
    const header = { sequence, acknowledgement: this.#receiver.next, flags, window };
    if (!this.#link.send(header, parts, cut)) return false;
    this.#acknowledge = false;
    return true;
  }

  #sendReset(): void {
    const header =
      this.#sender === undefined
        ? { sequence: this.#phase === "synSent" ? advance(this.#initial, 1) : 0, acknowledgement: this.#peerNext }
        : { sequence: this.#sender.next, acknowledgement: this.#receiver.next };
    this.#link.send({ ...header, flags: TcpFlag.rst | TcpFlag.ack, window: 0 }, [], 0);
  }

  /** Holds the host's bytes back while many wait for the guest. */
  #throttle(): void {
    const waiting = this.#sender.queue.length;
    if (!this.#hostPaused && waiting >= this.#link.capacity) {
      this.#hostPaused = true;
      this.#host?.pause();
    } else if (this.#hostPaused && this.#phase === "open" && waiting <= this.#link.capacity / 2) {
      this.#hostPaused = false;
      this.#host?.resume();
    }
  }

  #close(): void {
    if (this.#phase === "closed") return;
    const orderly = this.#phase === "timeWait";
    this.#phase = "closed";
    if (!orderly) this.#host?.reset();
    this.#host = undefined;
    this.#sender?.queue.clear();
    this.#link.closed();
  }
}
