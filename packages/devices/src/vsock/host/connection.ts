/**
 * One connection between a program of the guest and one of the host: packets towards the guest, a stream of the host's
 * behind. Each half ends on its own, and neither takes more than the other can pass on. @spec virtio "Stream Sockets"
 *
 *   dialing → open → closing → closed     the guest calls; closing: all is sent, and the guest is to confirm it
 *   calling → open → …                    the host calls
 *   … → flushing → closed                 the guest has gone; what it sent is still on its way to the host's program
 */
import { ByteQueue, type HostStream, type StreamEvents } from "@bulkhead/network";
import { MOST_PACKET_BYTES, Operation, Shutdown, type VsockHeader } from "../packet.ts";

/** Bytes that a connection holds for the host's program at most: what the guest may send ahead. */
export const CONNECTION_BYTES = 128 * 1024;
/** Bytes that it holds for the guest: more are left in the host's socket. */
const QUEUE_BYTES = 128 * 1024;
/** The guest is told of new room in steps of this size. */
const ROOM_STEP = CONNECTION_BYTES / 4;
const CALL_MS = 10_000;
const CLOSE_MS = 8000;

/** What a connection needs of the one who made it. */
export interface VsockLink {
  readonly nowMs: number;
  /** Sends a packet to the guest. @returns false where there was no room. */
  send(packet: OutgoingPacket, parts: readonly Uint8Array[]): boolean;
  /** Tells the guest that there is no such connection, when there is room. */
  reset(): void;
  /** `output` is to be called soon. */
  wake(): void;
  /** The guest has accepted the host's call. */
  answered(): void;
  closed(): void;
}

export type OutgoingPacket = Pick<VsockHeader, "operation" | "flags" | "length" | "buffer" | "forwarded">;
type Phase = "dialing" | "calling" | "open" | "closing" | "flushing" | "closed";

export class VsockConnection implements StreamEvents {
  readonly #link: VsockLink;
  readonly #toGuest = new ByteQueue();
  /** Undefined before it is there, and once it broke. */
  #host: HostStream | undefined;
  #phase: Phase;
  #hostPaused = false;
  #hostEnded = false;
  /** What the guest will not do any more: bits of `Shutdown`. */
  #guestShutdown = 0;
  /** What the guest has been told that we will not do any more. */
  #toldShutdown = 0;
  /** Bytes sent to the guest, and what it says of them: all modulo 2^32. */
  #sent = 0;
  #guestBuffer = 0;
  #guestForwarded = 0;
  /** Bytes that came from the guest, and how many of them it knows to be passed on. */
  #received = 0;
  #toldForwarded = 0;
  /** Packets without data that are to be sent, in this order. */
  readonly #pending: number[] = [];
  #askedForCredit = false;
  #deadlineMs = Number.POSITIVE_INFINITY;

  private constructor(link: VsockLink, phase: Phase) {
    this.#link = link;
    this.#phase = phase;
  }

  /** A guest's call: `attach` gives it the host's end, which is being dialled. */
  static called(link: VsockLink, request: VsockHeader): VsockConnection {
    const connection = new VsockConnection(link, "dialing");
    connection.#hear(request);
    return connection;
  }

  /** A call to the guest for a connection that the host has accepted. `output` starts it. */
  static calling(link: VsockLink, host: HostStream): VsockConnection {
    const connection = new VsockConnection(link, "calling");
    connection.#host = host;
    connection.#hostPaused = true;
    connection.#deadlineMs = link.nowMs + CALL_MS;
    connection.#pending.push(Operation.request);
    return connection;
  }

  get phase(): Phase {
    return this.#phase;
  }

  attach(host: HostStream): void {
    this.#host = host;
  }

  // ---- what the host's stream tells

  connected(): void {
    if (this.#phase !== "dialing") return;
    this.#phase = "open";
    this.#queue(Operation.response);
  }

  failed(): void {
    this.#host = undefined;
    this.abort();
  }

  data(bytes: Uint8Array): void {
    if ((this.#guestShutdown & Shutdown.receive) !== 0 || this.#phase === "flushing") return;
    this.#toGuest.append(bytes);
    this.#throttle();
    this.#link.wake();
  }

  ended(): void {
    this.#hostEnded = true;
    this.#link.wake();
  }

  drained(): void {
    if (this.#phase === "flushing") this.#finish();
    else if ((this.#forwarded - this.#toldForwarded) >>> 0 >= ROOM_STEP) this.#queue(Operation.creditUpdate);
    else if (this.#guestShutdown !== 0) this.#link.wake();
  }

  /** The host's program has gone. What it sent is still delivered. */
  broken(): void {
    this.#host = undefined;
    this.#hostEnded = true;
    if (this.#phase === "calling" || this.#phase === "dialing") this.abort();
    else if (this.#phase === "flushing") this.#finish();
    else this.#link.wake();
  }

  // ---- what the guest tells

  /** @param data lent: it is copied. */
  receive(header: VsockHeader, data: Uint8Array): void {
    this.#hear(header);
    if (header.operation === Operation.reset) this.#leave();
    else if (this.#phase === "calling") this.#receiveAnswer(header);
    else if (this.#phase === "open") this.#receiveOpen(header, data);
    else if (this.#phase === "dialing") this.abort();
  }

  /** The guest has gone without a word, or with a reset. */
  guestLeft(): void {
    this.#leave();
  }

  /** Ends the connection at once on both sides. */
  abort(): void {
    if (this.#phase === "closed") return;
    this.#host?.reset();
    this.#host = undefined;
    this.#toGuest.clear();
    this.#pending.length = 0;
    this.#link.reset();
    this.#close();
  }

  /** Sends what can be sent. @returns false if it has to be called again when there is room. */
  output(): boolean {
    while (this.#pending.length > 0) {
      if (!this.#sendPlain(this.#pending[0])) return false;
      this.#pending.shift();
    }
    if (this.#phase !== "open") return true;
    if (!this.#outputData()) return false;
    this.#throttle();
    return this.#outputEnd();
  }

  /** Looks at the clock. */
  tick(): void {
    if (this.#link.nowMs < this.#deadlineMs) return;
    if (this.#phase === "closing") {
      this.#link.reset();
      this.#leave();
    } else this.abort();
  }

  // ---- from here on its own

  /** Bytes that came from the guest and went on. */
  get #forwarded(): number {
    return (this.#received - (this.#host?.pendingBytes ?? 0)) >>> 0;
  }

  /** Bytes that the guest has room for. */
  get #credit(): number {
    const free = this.#guestBuffer - ((this.#sent - this.#guestForwarded) >>> 0);
    return free > 0 ? free : 0;
  }

  #hear({ buffer, forwarded }: VsockHeader): void {
    const before = this.#credit;
    this.#guestBuffer = buffer;
    this.#guestForwarded = forwarded;
    if (this.#credit <= before) return;
    this.#askedForCredit = false;
    if (this.#toGuest.length > 0) this.#link.wake();
  }

  #receiveAnswer({ operation }: VsockHeader): void {
    if (operation !== Operation.response) {
      this.abort();
      return;
    }
    this.#phase = "open";
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#link.answered();
    this.#throttle();
  }

  #receiveOpen(header: VsockHeader, data: Uint8Array): void {
    if (header.operation === Operation.data) this.#take(data);
    else if (header.operation === Operation.creditRequest) this.#queue(Operation.creditUpdate);
    else if (header.operation === Operation.shutdown) this.#shutDown(header.flags & Shutdown.both);
    else if (header.operation !== Operation.creditUpdate) this.abort();
  }

  #take(data: Uint8Array): void {
    const allowed = CONNECTION_BYTES - ((this.#received - this.#toldForwarded) >>> 0);
    if (data.length > allowed || (this.#guestShutdown & Shutdown.send) !== 0) {
      this.abort();
      return;
    }
    this.#received = (this.#received + data.length) >>> 0;
    this.#host?.write(data.slice());
    // What is passed on at once, or thrown away as there is nobody, is followed by no other word.
    if ((this.#forwarded - this.#toldForwarded) >>> 0 >= ROOM_STEP) this.#queue(Operation.creditUpdate);
  }

  #shutDown(flags: number): void {
    const fresh = flags & ~this.#guestShutdown;
    this.#guestShutdown |= flags;
    if ((fresh & Shutdown.send) !== 0) this.#host?.end();
    if ((fresh & Shutdown.receive) !== 0) {
      this.#toGuest.clear();
      this.#throttle();
    }
    this.#link.wake();
  }

  /** The guest hears nothing any more. What it sent is still passed on, as far as the host's program takes it. */
  #leave(): void {
    this.#pending.length = 0;
    this.#toGuest.clear();
    if (this.#phase !== "open" && this.#phase !== "closing") {
      if (this.#phase === "flushing") return;
      this.#host?.reset();
      this.#close();
      return;
    }
    this.#phase = "flushing";
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    if ((this.#guestShutdown & Shutdown.send) === 0) this.#host?.end();
    this.#finish();
  }

  /** Closes a connection that is being flushed once nothing is under way. */
  #finish(): void {
    if (this.#host !== undefined && this.#host.pendingBytes > 0) {
      // Only that the stream goes on: what comes is thrown away.
      this.#hostPaused = false;
      this.#host.resume();
      return;
    }
    this.#host?.reset();
    this.#close();
  }

  #outputData(): boolean {
    while (this.#toGuest.length > 0) {
      const length = Math.min(this.#toGuest.length, this.#credit, MOST_PACKET_BYTES);
      if (length === 0) return this.#askForCredit();
      const packet = this.#packet(Operation.data, 0, length);
      if (!this.#link.send(packet, this.#toGuest.views(0, length))) return false;
      this.#told(packet);
      this.#toGuest.drop(length);
      this.#sent = (this.#sent + length) >>> 0;
    }
    return true;
  }

  /** Once for each time that there is none: the guest tells by itself when it has room again. */
  #askForCredit(): boolean {
    if (this.#askedForCredit) return true;
    this.#askedForCredit = this.#sendPlain(Operation.creditRequest);
    return this.#askedForCredit;
  }

  /** Tells the guest what we will not do any more, and ends what has ended both ways. */
  #outputEnd(): boolean {
    const all = this.#guestShutdown === Shutdown.both;
    if (all && (this.#host?.pendingBytes ?? 0) === 0) {
      this.#link.reset();
      this.#host?.reset();
      this.#close();
      return true;
    }
    if (!this.#hostEnded || this.#toGuest.length > 0 || all) return true;
    const done = this.#host === undefined || (this.#guestShutdown & Shutdown.send) !== 0;
    const flags = done ? Shutdown.both : Shutdown.send;
    if (flags === this.#toldShutdown) return true;
    const packet = this.#packet(Operation.shutdown, flags, 0);
    if (!this.#link.send(packet, [])) return false;
    this.#told(packet);
    this.#toldShutdown = flags;
    if (!done) return true;
    this.#phase = "closing";
    this.#deadlineMs = this.#link.nowMs + CLOSE_MS;
    return true;
  }

  /** Takes nothing from the host while much is waiting for the guest, or before there is a guest. */
  #throttle(): void {
    const pause = this.#toGuest.length >= QUEUE_BYTES;
    if (pause === this.#hostPaused || this.#phase === "calling") return;
    this.#hostPaused = pause;
    if (pause) this.#host?.pause();
    else this.#host?.resume();
  }

  #queue(operation: number): void {
    if (!this.#pending.includes(operation)) this.#pending.push(operation);
    this.#link.wake();
  }

  #sendPlain(operation: number): boolean {
    const packet = this.#packet(operation, 0, 0);
    const sent = this.#link.send(packet, []);
    if (sent) this.#told(packet);
    return sent;
  }

  #packet(operation: number, flags: number, length: number): OutgoingPacket {
    return { operation, flags, length, buffer: CONNECTION_BYTES, forwarded: this.#forwarded };
  }

  #told({ forwarded }: OutgoingPacket): void {
    this.#toldForwarded = forwarded;
  }

  #close(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#link.closed();
  }
}
