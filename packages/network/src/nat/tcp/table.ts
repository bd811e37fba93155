/**
 * All connections of guests with the outside: finds the one that a segment belongs to, makes those that guests call
 * for, and gives each its turn to send. Bounded in connections and in what they hold together.
 */
import type { Clock } from "../../clock.ts";
import type { IpAddress } from "../../wire/address.ts";
import { TcpFlag, type TcpHeader, type TcpSegment } from "../../wire/tcp-segment.ts";
import type { ConnectFailure, HostStream, StreamEvents } from "../host.ts";
import { TcpConnection, type TcpLink } from "./connection.ts";
import { advance } from "./sequence.ts";

const MOST_CONNECTIONS = 4096;
/** Bytes that wait in one direction: of a connection, and of all together. */
const MOST_WAITING = 1024 * 1024;
const LEAST_WAITING = 16 * 1024;
const ALL_WAITING = 128 * 1024 * 1024;
const TICK_MS = 100;

/** A connection as the guest sees it: its own end and the remote one. */
export interface TcpFlow {
  readonly mac: number;
  readonly guest: IpAddress;
  readonly guestPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
}

/** What the table needs of the NAT. */
export interface TcpEnvironment {
  readonly clock: Clock;
  readonly mss4: number;
  readonly mss6: number;
  readonly mostBytes: number;
  /** 32 random bits: where a connection's sequence numbers start. */
  random(): number;
  send(flow: TcpFlow, header: TcpHeader, parts: readonly Uint8Array[], cut: number): boolean;
  /** Dials the remote end; undefined where that is refused. */
  dial(flow: TcpFlow, events: StreamEvents): HostStream | undefined;
  unreachable(flow: TcpFlow, why: ConnectFailure, sequence: number): void;
}

const keyOf = ({ guest, guestPort, remote, remotePort }: TcpFlow): string =>
  `${guest.toHex()}${remote.toHex()}/${guestPort}/${remotePort}`;

export class TcpTable {
  readonly #environment: TcpEnvironment;
  readonly #connections = new Map<string, TcpConnection>();
  #awake = new Set<TcpConnection>();
  readonly #blocked = new Set<TcpConnection>();
  #stopTicking: (() => void) | undefined;

  constructor(environment: TcpEnvironment) {
    this.#environment = environment;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** A segment of a guest's. */
  receive(flow: TcpFlow, segment: TcpSegment): void {
    const connection = this.#connections.get(keyOf(flow));
    const calls = (segment.flags & (TcpFlag.syn | TcpFlag.ack | TcpFlag.rst)) === TcpFlag.syn;
    if (connection !== undefined && !(calls && connection.phase === "timeWait")) connection.receive(segment);
    else if (calls) this.#accept(flow, segment, connection);
    else this.#reset(flow, segment);
  }

  /** Calls a guest for a connection that the host has accepted. @returns what happens on it, or undefined when full. */
  call(flow: TcpFlow, host: HostStream): StreamEvents | undefined {
    const key = keyOf(flow);
    if (this.#connections.size >= MOST_CONNECTIONS || this.#connections.has(key)) return undefined;
    return this.#add(key, flow, (link) => TcpConnection.calling(link, this.#environment.random(), host));
  }

  /** There is room for segments again. */
  room(): void {
    for (const connection of this.#blocked) this.#wake(connection);
    this.#blocked.clear();
  }

  /** Ends all connections at once. */
  close(): void {
    for (const connection of [...this.#connections.values()]) connection.abort();
  }

  #accept(flow: TcpFlow, segment: TcpSegment, old: TcpConnection | undefined): void {
    old?.abort();
    if (this.#connections.size >= MOST_CONNECTIONS) {
      this.#reset(flow, segment);
      return;
    }
    const make = (link: TcpLink): TcpConnection => TcpConnection.called(link, this.#environment.random(), segment);
    const connection = this.#add(keyOf(flow), flow, make);
    const host = this.#environment.dial(flow, connection);
    if (host === undefined) connection.failed("refused");
    else connection.attach(host);
  }

  #add(key: string, flow: TcpFlow, make: (link: TcpLink) => TcpConnection): TcpConnection {
    const link = this.#link(key, flow, () => connection);
    const connection = make(link);
    this.#connections.set(key, connection);
    this.#wake(connection);
    this.#stopTicking ??= this.#environment.clock.every(TICK_MS, () => this.#tick());
    return connection;
  }

  #link(key: string, flow: TcpFlow, connection: () => TcpConnection): TcpLink {
    const environment = this.#environment;
    const all = this.#connections;
    return {
      get nowMs() {
        return environment.clock.nowMs;
      },
      get capacity() {
        return Math.min(MOST_WAITING, Math.max(LEAST_WAITING, Math.floor(ALL_WAITING / (all.size + 1))));
      },
      mss: flow.guest.length === 4 ? environment.mss4 : environment.mss6,
      mostBytes: environment.mostBytes,
      send: (header, parts, cut) =>
        environment.send(flow, { ...header, sourcePort: flow.remotePort, destinationPort: flow.guestPort }, parts, cut),
      wake: () => this.#wake(connection()),
      blocked: () => this.#blocked.add(connection()),
      unreachable: (why, sequence) => environment.unreachable(flow, why, sequence),
      closed: () => this.#remove(key, connection()),
    };
  }

  #remove(key: string, connection: TcpConnection): void {
    if (this.#connections.get(key) === connection) this.#connections.delete(key);
    this.#awake.delete(connection);
    this.#blocked.delete(connection);
    if (this.#connections.size > 0) return;
    this.#stopTicking?.();
    this.#stopTicking = undefined;
  }

  /** Whatever happens within one turn of the event loop is answered together. */
  #wake(connection: TcpConnection | undefined): void {
    if (connection === undefined) return;
    if (this.#awake.size === 0) queueMicrotask(() => this.#output());
    this.#awake.add(connection);
  }

  #output(): void {
    const awake = this.#awake;
    this.#awake = new Set();
    for (const connection of awake) connection.output();
  }

  #tick(): void {
    for (const connection of [...this.#connections.values()]) connection.tick();
  }

  /** What belongs to no connection is refused. @spec RFC 9293 "CLOSED State" */
  #reset(flow: TcpFlow, { flags, sequence, acknowledgement, payload }: TcpSegment): void {
    if ((flags & TcpFlag.rst) !== 0) return;
    const length = payload.length + ((flags & TcpFlag.syn) !== 0 ? 1 : 0) + (flags & TcpFlag.fin);
    const answers = (flags & TcpFlag.ack) !== 0;
    const header = {
      sourcePort: flow.remotePort,
      destinationPort: flow.guestPort,
      sequence: answers ? acknowledgement : 0,
      acknowledgement: answers ? 0 : advance(sequence, length),
      flags: answers ? TcpFlag.rst : TcpFlag.rst | TcpFlag.ack,
      window: 0,
    };
    this.#environment.send(flow, header, [], 0);
  }
}
