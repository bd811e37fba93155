/** The host's network under Node: what the NAT asks for, with sockets that need no privileges. */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import { formatIp, type IpAddress, parseIp } from "../wire/address.ts";
import { resolveOnHost } from "./dns/resolver-node.ts";
import type { ConnectFailure, HostNetwork, HostSocket, HostStream, StreamEvents } from "./host.ts";

const ECHO_SECONDS = 3;
/** Bytes a socket of the host may have waiting to be sent; datagrams beyond are lost. */
const MOST_WAITING_BYTES = 1024 * 1024;

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

  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.write(bytes, this.#written);
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
  connect(address, port, events) {
    const stream = new NodeStream(connect({ host: formatIp(address), port, allowHalfOpen: true }));
    stream.listen(events, false);
    return stream;
  },
  socket: openSocket,
  resolve: resolveOnHost,
  echo,
};
