/** A guest's side of socket connections, and programs of a host, both of plain objects: for tests of what is between them. */
import type { Clock, HostStream, StreamEvents } from "@bulkhead/network";
import type { VsockPort, VsockPrograms } from "../vsock/host/vsock-host.ts";
import { VsockHost } from "../vsock/host/vsock-host.ts";
import {
  encodeVsockHeader,
  HOST_CID,
  Operation,
  parseVsockHeader,
  STREAM,
  VSOCK_HEADER_BYTES,
  type VsockHeader,
} from "../vsock/packet.ts";

export const GUEST_CID = 3;

export interface Packet extends VsockHeader {
  readonly data: Uint8Array;
}

/** A connection of a program of the host's. */
export class TestStream implements HostStream {
  readonly written: Uint8Array[] = [];
  pendingBytes = 0;
  ended = false;
  paused = false;
  wasReset = false;
  /** Whether what is written waits until `drain`. */
  slow = false;
  events!: StreamEvents;

  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.written.flatMap((bytes) => [...bytes])));
  }

  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.written.push(bytes);
    if (this.slow) this.pendingBytes += bytes.length;
  }

  drain(bytes = this.pendingBytes): void {
    this.pendingBytes -= bytes;
    this.events.drained();
  }

  end(): void {
    this.ended = true;
  }

  reset(): void {
    this.wasReset = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

export class TestPrograms implements VsockPrograms {
  readonly dialled: { readonly port: number; readonly stream: TestStream }[] = [];

  dial(port: number, events: StreamEvents): HostStream {
    const stream = new TestStream();
    stream.events = events;
    this.dialled.push({ port, stream });
    return stream;
  }
}

/** A clock that tests move. */
export class TestClock implements Clock {
  nowMs = 0;
  readonly #works = new Set<() => void>();

  every(_ms: number, work: () => void): () => void {
    this.#works.add(work);
    return () => this.#works.delete(work);
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const work of this.#works) work();
  }
}

/** What the host has sent to the guest, and how much it may still send. */
export class TestGuest implements VsockPort {
  readonly programs = new TestPrograms();
  readonly clock = new TestClock();
  readonly host: VsockHost;
  /** Packets that there is room for. */
  room = Number.POSITIVE_INFINITY;
  #sent: Packet[] = [];

  constructor() {
    this.host = new VsockHost({ cid: GUEST_CID, clock: this.clock, programs: this.programs });
    this.host.attach(this);
  }

  send(header: Uint8Array, parts: readonly Uint8Array[], length: number): boolean {
    if (this.room <= 0) return false;
    this.room--;
    const data = Uint8Array.from(parts.flatMap((part) => [...part]));
    if (data.length !== length - VSOCK_HEADER_BYTES) throw new Error("a packet has another length than it says");
    this.#sent.push({ ...parseVsockHeader(header), data });
    return true;
  }

  flush(): void {}

  /** What has come since the last call, once all that was to be done is done. */
  async packets(): Promise<Packet[]> {
    await Promise.resolve();
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  /** Names of the operations among `packets`. */
  async operations(): Promise<string[]> {
    return (await this.packets()).map(nameOf);
  }

  /** Sends a packet to a port of the host's. */
  give(sourcePort: number, destinationPort: number, operation: number, more: Partial<Packet> = {}): void {
    const { data = new Uint8Array(0), ...header } = more;
    const whole: VsockHeader = {
      sourceCid: GUEST_CID,
      destinationCid: HOST_CID,
      sourcePort,
      destinationPort,
      length: data.length,
      type: STREAM,
      operation,
      flags: 0,
      buffer: 65536,
      forwarded: 0,
      ...header,
    };
    const packet = new Uint8Array(VSOCK_HEADER_BYTES + data.length);
    packet.set(encodeVsockHeader(whole));
    packet.set(data, VSOCK_HEADER_BYTES);
    this.host.input(packet);
  }

  /** Makes a connection from a port of the guest's to one of the host's. */
  async connect(guestPort: number, hostPort: number, buffer = 65536): Promise<TestStream> {
    this.give(guestPort, hostPort, Operation.request, { buffer });
    const stream = (this.programs.dialled.at(-1) as { stream: TestStream }).stream;
    stream.events.connected();
    const operations = await this.operations();
    if (operations.join() !== "response") throw new Error(`expected a response, found ${operations}`);
    return stream;
  }
}

export const nameOf = ({ operation }: VsockHeader): string =>
  Object.entries(Operation).find(([, number]) => number === operation)?.[0] ?? "unknown";
