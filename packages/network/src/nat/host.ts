/** What the NAT needs of the host: streams, datagrams, names and echoes. The adapter for Node is `host-node.ts`. */
import type { IpAddress } from "../wire/address.ts";

/** Why a connection could not be made. */
export type ConnectFailure = "refused" | "unreachable" | "timed-out" | "busy";

/** A connection of the host. */
export interface HostStream {
  /** Bytes that were written and are still on their way: what a slow reader makes grow. */
  readonly pendingBytes: number;
  /** Bytes are only lent, in both directions: whoever keeps some copies them. */
  write(bytes: Uint8Array): void;
  /** Nothing more will be written. */
  end(): void;
  /** Gives the connection up; no event follows. */
  reset(): void;
  pause(): void;
  resume(): void;
}

/** What happens on a connection of the host. */
export interface StreamEvents {
  connected(): void;
  /** In place of `connected`. */
  failed(why: ConnectFailure): void;
  /** Bytes are only lent. */
  data(bytes: Uint8Array): void;
  /** The other end will send nothing more. */
  ended(): void;
  /** `pendingBytes` has become less. */
  drained(): void;
  /** The connection broke. */
  broken(): void;
}

export interface HostSocket {
  send(bytes: Uint8Array<ArrayBuffer>, address: IpAddress, port: number): void;
  close(): void;
}

export interface HostNetwork {
  connect(address: IpAddress, port: number, events: StreamEvents): HostStream;
  /** A socket for datagrams of one family; undefined where the host has none left. */
  socket(
    family: 4 | 6,
    received: (bytes: Uint8Array, address: IpAddress, port: number) => void,
  ): HostSocket | undefined;
  /** Asks the host's resolver; undefined where it does not answer. */
  resolve(query: Uint8Array<ArrayBuffer>, tcp: boolean): Promise<Uint8Array | undefined>;
  /** Whether a host answers an echo request with so many bytes of data; false where this host cannot ask. */
  echo(address: IpAddress, bytes: number): Promise<boolean>;
}
