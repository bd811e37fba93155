/** The host's network under Node: what the NAT asks for, with sockets that need no privileges. */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import { formatIp, type IpAddress, parseIp } from "../wire/address.ts";
import { BUFFER_BYTES, buffers } from "./buffer-pool.ts";
import { resolveOnHost } from "./dns/resolver-node.ts";
import type { ConnectFailure, HostNetwork, HostSocket, HostStream, StreamEvents } from "./host.ts";

const ECHO_SECONDS = 3;
/** Bytes a socket of the host may have waiting to be sent; datagrams beyond are lost. */
const MOST_WAITING_BYTES = 1024 * 1024;

/** Fewer bytes than this are copied into memory of their own. */
const FEW_BYTES = 4096;
/** All sockets are read into this one: what it holds is handed on before the next read. */
const incoming = new Uint8Array(BUFFER_BYTES);

const failures: Readonly<Record<string, ConnectFailure>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "refused",
  ETIMEDOUT: "timed-out",
  EMFILE: "busy",
  ENFILE: "busy",
  EADDRNOTAVAIL: "busy",
};

/** A socket of Node's as the NAT wants it. */
export class NodeStream implements HostStream {
  readonly #socket: Socket;
  readonly #written: () => void;
  #events: StreamEvents | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#written = () => this.#events?.drained();
    socket.setNoDelay(true);
  }

  /** Calls a host, and tells what happens. */
  static dial(address: IpAddress, port: number, events: StreamEvents): NodeStream {
    const callback = (length: number): boolean => {
      stream.#events?.data(incoming.subarray(0, length));
      return true;
    };
    const onread = { buffer: incoming, callback };
    const stream = new NodeStream(connect({ host: formatIp(address), port, allowHalfOpen: true, onread }));
    stream.listen(events, false);
    return stream;
  }

  /** Starts telling what happens. @param connected whether the connection is already made. */
  listen(events: StreamEvents, connected: boolean): void {
    this.#events = events;
    let open = connected;
    this.#socket.on("connect", () => {
      open = true;
      this.#events?.connected();
    });
    this.#socket.on("data", (bytes: Uint8Array) => this.#events?.data(bytes));
    this.#socket.on("end", () => this.#events?.ended());
    this.#socket.on("error", (error: NodeJS.ErrnoException) => {
      if (open) this.#events?.broken();
      else this.#events?.failed(failures[error.code ?? ""] ?? "unreachable");
      this.#events = undefined;
    });
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length <= FEW_BYTES) this.#socket.write(bytes.slice(), this.#written);
    else
      for (let at = 0; at < bytes.length; at += BUFFER_BYTES) this.#writePooled(bytes.subarray(at, at + BUFFER_BYTES));
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#events = undefined;
    this.#socket.on("error", () => {});
    // A UNIX socket has no port, and no reset.
    if (this.#socket.connecting || this.#socket.localPort === undefined) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #writePooled(bytes: Uint8Array): void {
    const buffer = buffers.take();
    buffer.set(bytes);
    this.#socket.write(buffer.subarray(0, bytes.length), () => {
      buffers.give(buffer);
      this.#written();
    });
  }
}

function openSocket(
  family: 4 | 6,
  received: (bytes: Uint8Array, address: IpAddress, port: number) => void,
): HostSocket | undefined {
  // Addresses only: nothing has to be looked up.
  const lookup = (host: string, _options: unknown, done: (error: null, address: string, family: number) => void) =>
    done(null, host, family);
  const socket = createSocket({ type: family === 4 ? "udp4" : "udp6", lookup } as Parameters<typeof createSocket>[0]);
  let open = true;
  let waiting = 0;
  socket.on("error", () => {});
  socket.on("message", (bytes, { address, port }) => {
    const from = parseIp(address.replace(/%.*$/, ""));
    if (open && from !== undefined) received(bytes, from, port);
  });
  return {
    send(bytes, address, port) {
      if (!open || waiting + bytes.length > MOST_WAITING_BYTES) return;
      waiting += bytes.length;
      socket.send(bytes, port, formatIp(address), () => {
        waiting -= bytes.length;
      });
    },
    close() {
      open = false;
      socket.close();
    },
  };
}

/** Asks with the host's `ping`, which may where this process may not. */
let pingMissing = false;
function echo(address: IpAddress, bytes: number): Promise<boolean> {
  if (pingMissing) return Promise.resolve(false);
  const size = String(Math.min(bytes, 1400));
  const words = ["-n", "-q", "-c", "1", "-W", String(ECHO_SECONDS), "-s", size, formatIp(address)];
  return new Promise((resolve) => {
    const child = spawn("ping", words, { stdio: "ignore" });
    child.unref();
    child.on("error", () => {
      pingMissing = true;
      resolve(false);
    });
    child.on("exit", (code) => resolve(code === 0));
  });
}

export const nodeHost: HostNetwork = {
  connect: NodeStream.dial,
  socket: openSocket,
  resolve: resolveOnHost,
  echo,
};
