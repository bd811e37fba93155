/**
 * The host as a guest's sockets see it, CID 2: all connections of one guest. Programs of the host are reached through
 * `VsockPrograms`; packets come from and go to the device (../device.ts). What the guest sends is not trusted.
 */
import type { Clock, HostStream, StreamEvents } from "@bulkhead/network";
import {
  encodeVsockHeader,
  HOST_CID,
  Operation,
  parseVsockHeader,
  resetOf,
  STREAM,
  VSOCK_HEADER_BYTES,
  type VsockHeader,
} from "../packet.ts";
import { type OutgoingPacket, VsockConnection } from "./connection.ts";

/** Connections of a guest, those included that are being made or ended. */
export const MOST_CONNECTIONS = 1024;
/** Resets that wait for room; more than these are not told, and the guest's calls time out. */
const MOST_RESETS = 1024;
/** Calls of the host's come from ports that no program of the guest's would listen on. */
const FIRST_CALLING_PORT = 2 ** 30;
const TICK_MS = 500;
const CLOSE_GRACE_MS = 1000;

/** The programs of the host. */
export interface VsockPrograms {
  /** Connects to whatever listens on a port. */
  dial(port: number, events: StreamEvents): HostStream;
}

/** The way to the guest's device. */
export interface VsockPort {
  /** @returns false where there is no room: `hasRoom` is called when there is some. */
  send(header: Uint8Array, parts: readonly Uint8Array[], length: number): boolean;
  /** What was sent is to be seen. */
  flush(): void;
}

export interface VsockHostOptions {
  /** The guest's address. */
  readonly cid: number;
  readonly clock: Clock;
  readonly programs: VsockPrograms;
}

export class VsockHost {
  readonly #options: VsockHostOptions;
  readonly #connections = new Map<string, VsockConnection>();
  /** Connections that may have something to send, in turn. */
  readonly #ready = new Set<VsockConnection>();
  readonly #resets: VsockHeader[] = [];
  readonly #stopTicking: () => void;
  #port: VsockPort | undefined;
  #scheduled = false;
  #blocked = false;
  #emptied: () => void = () => {};
  #lastCallingPort = FIRST_CALLING_PORT - 1;

  constructor(options: VsockHostOptions) {
    this.#options = options;
    this.#stopTicking = options.clock.every(TICK_MS, () => {
      for (const connection of [...this.#connections.values()]) connection.tick();
    });
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#connections.size;
  }

  /** The guest's device is there. */
  attach(port: VsockPort): void {
    this.#port = port;
    this.hasRoom();
  }

  /** A packet from the guest; its bytes are only lent. */
  input(packet: Uint8Array): void {
    const header = parseVsockHeader(packet);
    if (header.operation === Operation.none) this.#forgetGuest();
    else if (header.destinationCid === HOST_CID && header.type === STREAM) this.#receive(header, packet);
    else this.#refuse(header);
  }

  /**
   * Calls a port of the guest's for a stream that is connected, and not read yet. When the guest has answered the stream is told
   * `OK PORT`; otherwise it is closed. @returns what hears of the stream; undefined where there are too many connections.
   */
  call(port: number, stream: HostStream): StreamEvents | undefined {
    if (this.#connections.size >= MOST_CONNECTIONS || this.#port === undefined) return undefined;
    const hostPort = this.#freePort(port);
    const connection = VsockConnection.calling(
      this.#link(
        port,
        hostPort,
        () => connection,
        () => stream.write(new TextEncoder().encode(`OK ${hostPort}\n`)),
      ),
      stream,
    );
    this.#connections.set(keyOf(port, hostPort), connection);
    this.#wake(connection);
    return connection;
  }

  /** There is room for packets again. */
  hasRoom(): void {
    this.#blocked = false;
    this.#schedule();
  }

  /** Ends everything. What the guest has sent is still passed on, as far as the host's programs take it in a moment. */
  async close(): Promise<void> {
    this.#stopTicking();
    this.#port = undefined;
    this.#forgetGuest();
    if (this.#connections.size > 0) {
      const emptied = new Promise<void>((resolve) => (this.#emptied = resolve));
      const grace = setTimeout(() => this.#emptied(), CLOSE_GRACE_MS);
      await emptied;
      clearTimeout(grace);
    }
    for (const connection of [...this.#connections.values()]) connection.abort();
  }

  #receive(header: VsockHeader, packet: Uint8Array): void {
    const key = keyOf(header.sourcePort, header.destinationPort);
    const connection = this.#connections.get(key);
    if (connection !== undefined) {
      connection.receive(header, packet.subarray(VSOCK_HEADER_BYTES, VSOCK_HEADER_BYTES + header.length));
    } else if (header.operation !== Operation.request || this.#connections.size >= MOST_CONNECTIONS) {
      this.#refuse(header);
    } else this.#admit(key, header);
  }

  #admit(key: string, header: VsockHeader): void {
    const link = this.#link(header.sourcePort, header.destinationPort, () => connection);
    const connection = VsockConnection.called(link, header);
    this.#connections.set(key, connection);
    connection.attach(this.#options.programs.dial(header.destinationPort, connection));
  }

  #link(guestPort: number, hostPort: number, self: () => VsockConnection, answered: () => void = () => {}) {
    const addresses = {
      sourceCid: HOST_CID,
      destinationCid: this.#options.cid,
      sourcePort: hostPort,
      destinationPort: guestPort,
      type: STREAM,
    };
    const { clock } = this.#options;
    return {
      get nowMs() {
        return clock.nowMs;
      },
      send: (packet: OutgoingPacket, parts: readonly Uint8Array[]) => this.#send({ ...addresses, ...packet }, parts),
      reset: () =>
        this.#reset({ ...addresses, operation: Operation.reset, flags: 0, length: 0, buffer: 0, forwarded: 0 }),
      wake: () => this.#wake(self()),
      answered,
      closed: () => {
        this.#connections.delete(keyOf(guestPort, hostPort));
        this.#ready.delete(self());
        if (this.#connections.size === 0) this.#emptied();
      },
    };
  }

  #send(header: VsockHeader, parts: readonly Uint8Array[]): boolean {
    if (this.#port === undefined) return false;
    return this.#port.send(encodeVsockHeader(header), parts, VSOCK_HEADER_BYTES + header.length);
  }

  #refuse(header: VsockHeader): void {
    if (header.operation !== Operation.reset) this.#reset(resetOf(header));
  }

  #reset(header: VsockHeader): void {
    if (this.#resets.length >= MOST_RESETS) return;
    this.#resets.push(header);
    this.#schedule();
  }

  /** The guest's driver has started anew: it knows nothing of its connections. */
  #forgetGuest(): void {
    this.#resets.length = 0;
    for (const connection of [...this.#connections.values()]) connection.guestLeft();
  }

  #wake(connection: VsockConnection): void {
    this.#ready.add(connection);
    this.#schedule();
  }

  /** Sends once everything that happens now has happened. */
  #schedule(): void {
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#output();
      this.#port?.flush();
    });
  }

  #output(): void {
    // The second time those of connections that end now.
    const done = this.#outputResets() && this.#outputReady() && this.#outputResets();
    this.#blocked = !done && this.#port !== undefined;
  }

  /** @returns false where there was no room, as below. */
  #outputResets(): boolean {
    while (this.#resets.length > 0) {
      if (!this.#send(this.#resets[0], [])) return false;
      this.#resets.shift();
    }
    return true;
  }

  #outputReady(): boolean {
    for (const connection of this.#ready) {
      this.#ready.delete(connection);
      if (connection.phase === "closed" || connection.output()) continue;
      // Those behind it come first next time.
      this.#ready.add(connection);
      return false;
    }
    return true;
  }

  #freePort(guestPort: number): number {
    do this.#lastCallingPort = this.#lastCallingPort === 2 ** 31 - 1 ? FIRST_CALLING_PORT : this.#lastCallingPort + 1;
    while (this.#connections.has(keyOf(guestPort, this.#lastCallingPort)));
    return this.#lastCallingPort;
  }
}

const keyOf = (guestPort: number, hostPort: number): string => `${guestPort}/${hostPort}`;
