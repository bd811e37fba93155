/**
 * Datagrams between guests and the outside: each port of a guest has a socket of the host, and only those it has
 * written to may answer. @spec RFC 4787
 */
import type { Clock } from "../clock.ts";
import type { IpAddress } from "../wire/address.ts";
import type { HostNetwork, HostSocket } from "./host.ts";

/** Ports of guests with a socket at a time; the one idle longest makes place. */
const MOST_FLOWS = 1024;
/** Destinations that may answer, per port. */
const MOST_PEERS = 256;
const IDLE_MS = 120_000;
const SWEEP_MS = 10_000;

/** A port of a guest. */
export interface UdpEndpoint {
  readonly mac: number;
  readonly address: IpAddress;
  readonly port: number;
}

interface Flow {
  readonly socket: HostSocket;
  /** Peers that may answer, and under which address the guest knows each. */
  readonly peers: Map<string, IpAddress>;
  usedMs: number;
}

/** Gives a guest a datagram, from an address that it has written to. */
export type ToGuest = (to: UdpEndpoint, from: IpAddress, port: number, bytes: Uint8Array) => void;

export class UdpFlows {
  readonly #host: Pick<HostNetwork, "socket">;
  readonly #clock: Clock;
  readonly #toGuest: ToGuest;
  /** The least recently used first. */
  readonly #flows = new Map<string, Flow>();
  #stopSweeping: (() => void) | undefined;

  constructor(host: Pick<HostNetwork, "socket">, clock: Clock, toGuest: ToGuest) {
    this.#host = host;
    this.#clock = clock;
    this.#toGuest = toGuest;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** Sends a guest's datagram on. @param known under which address the guest knows the destination. */
  send(from: UdpEndpoint, to: IpAddress, port: number, bytes: Uint8Array<ArrayBuffer>, known: IpAddress = to): void {
    const key = `${from.address.toHex()}/${from.port}/${to.length}`;
    const flow = this.#flows.get(key) ?? this.#open(key, from, to.length === 4 ? 4 : 6);
    if (flow === undefined) return;
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    flow.usedMs = this.#clock.nowMs;
    const peer = `${to.toHex()}/${port}`;
    flow.peers.delete(peer);
    if (flow.peers.size >= MOST_PEERS) flow.peers.delete(flow.peers.keys().next().value as string);
    flow.peers.set(peer, known);
    flow.socket.send(bytes, to, port);
  }

  close(): void {
    for (const { socket } of this.#flows.values()) socket.close();
    this.#flows.clear();
    this.#stopSweeping?.();
    this.#stopSweeping = undefined;
  }

  #open(key: string, from: UdpEndpoint, family: 4 | 6): Flow | undefined {
    if (this.#flows.size >= MOST_FLOWS) this.#drop(this.#flows.keys().next().value as string);
    const peers = new Map<string, IpAddress>();
    const socket = this.#host.socket(family, (bytes, address, port) => {
      const known = peers.get(`${address.toHex()}/${port}`);
      if (known === undefined) return;
      flow.usedMs = this.#clock.nowMs;
      this.#toGuest(from, known, port, bytes);
    });
    if (socket === undefined) return undefined;
    const flow: Flow = { socket, peers, usedMs: this.#clock.nowMs };
    this.#flows.set(key, flow);
    this.#stopSweeping ??= this.#clock.every(SWEEP_MS, () => this.#sweep());
    return flow;
  }

  #sweep(): void {
    for (const [key, { usedMs }] of this.#flows) if (this.#clock.nowMs - usedMs > IDLE_MS) this.#drop(key);
    if (this.#flows.size > 0) return;
    this.#stopSweeping?.();
    this.#stopSweeping = undefined;
  }

  #drop(key: string): void {
    this.#flows.get(key)?.socket.close();
    this.#flows.delete(key);
  }
}
