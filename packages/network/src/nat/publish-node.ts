/** Ports of the host that lead to a guest: `--publish`. */
import { createSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { NetworkError } from "../network-error.ts";
import type { Gateway } from "./gateway.ts";
import { NodeStream } from "./host-node.ts";

export interface PublishedPort {
  readonly protocol: "tcp" | "udp";
  /** Address of the host to listen on. */
  readonly address: string;
  /** 0 for any free one. */
  readonly hostPort: number;
  readonly guestPort: number;
}

export interface Publication {
  /** The port of the host, also where any was asked for. */
  readonly hostPort: number;
  close(): void;
}

/** Clients of a published UDP port whose answers find their way back; the one silent longest makes place. */
const MOST_CLIENTS = 1024;
/** How often a guest that is not known yet is looked for, and how long each time: it may be busy with its start. */
const MOST_ASKED = 50;
const ASK_MS = 20;
const FIRST_CLIENT_PORT = 49152;
const CLIENT_PORTS = 16384;

/** Starts to listen. Errors: `port-in-use`, `port-forbidden`, `address-unavailable`. */
export function publish(gateway: Gateway, port: PublishedPort): Promise<Publication> {
  return port.protocol === "tcp" ? publishTcp(gateway, port) : publishUdp(gateway, port);
}

function publishTcp(gateway: Gateway, port: PublishedPort): Promise<Publication> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    void connectGuest(gateway, port.guestPort, socket);
  });
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(port, cause)));
    server.listen({ host: port.address, port: port.hostPort }, () => {
      server.removeAllListeners("error");
      server.on("error", () => {});
      server.unref();
      resolve({ hostPort: portOf(server), close: () => server.close() });
    });
  });
}

async function connectGuest(gateway: Gateway, guestPort: number, socket: Socket): Promise<void> {
  socket.on("error", () => {});
  await findGuest(gateway);
  if (socket.destroyed) return;
  const stream = new NodeStream(socket);
  const events = gateway.publish(guestPort, stream);
  if (events === undefined) stream.reset();
  else stream.listen(events, true);
}

/** Waits a moment for a guest that has an address and has not said so. */
async function findGuest(gateway: Gateway): Promise<void> {
  for (let asked = 0; asked < MOST_ASKED && gateway.publishedGuest === undefined; asked++) {
    gateway.seekGuest();
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}

const portOf = (server: Server): number => (server.address() as { port: number }).port;

function publishUdp(gateway: Gateway, port: PublishedPort): Promise<Publication> {
  const socket = createSocket(port.address.includes(":") ? "udp6" : "udp4");
  const clients = new UdpClients();
  const answer = (from: number, to: number, bytes: Uint8Array<ArrayBuffer>): boolean => {
    const client = from === port.guestPort ? clients.at(to) : undefined;
    if (client !== undefined) socket.send(bytes, client.port, client.address, () => {});
    return client !== undefined;
  };
  const next = gateway.onPublishedUdp;
  gateway.onPublishedUdp = (from, to, bytes) => answer(from, to, bytes) || (next?.(from, to, bytes) ?? false);
  socket.on("message", (bytes, { address, port: from }) => {
    if (!gateway.publishUdp(port.guestPort, clients.portFor(address, from), bytes)) gateway.seekGuest();
  });
  return new Promise((resolve, reject) => {
    socket.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(port, cause)));
    socket.bind({ address: port.address, port: port.hostPort }, () => {
      socket.removeAllListeners("error");
      socket.on("error", () => {});
      socket.unref();
      resolve({ hostPort: socket.address().port, close: () => socket.close() });
    });
  });
}

/** Gives each client a port of the gateway, under which the guest sees it. */
class UdpClients {
  readonly #byPort = new Map<number, { readonly address: string; readonly port: number }>();
  readonly #ports = new Map<string, number>();
  #last = 0;

  at(port: number): { readonly address: string; readonly port: number } | undefined {
    return this.#byPort.get(port);
  }

  portFor(address: string, from: number): number {
    const key = `${address}/${from}`;
    const port = this.#ports.get(key) ?? this.#fresh();
    this.#ports.delete(key);
    this.#ports.set(key, port);
    this.#byPort.set(port, { address, port: from });
    if (this.#ports.size > MOST_CLIENTS) {
      const [oldest, its] = this.#ports.entries().next().value as [string, number];
      this.#ports.delete(oldest);
      this.#byPort.delete(its);
    }
    return port;
  }

  #fresh(): number {
    do this.#last = (this.#last + 1) % CLIENT_PORTS;
    while (this.#byPort.has(FIRST_CLIENT_PORT + this.#last));
    return FIRST_CLIENT_PORT + this.#last;
  }
}

function listenError({ address, hostPort, protocol }: PublishedPort, cause: NodeJS.ErrnoException): NetworkError {
  const where = `${address.includes(":") ? `[${address}]` : address}:${hostPort}/${protocol}`;
  if (cause.code === "EADDRINUSE") {
    return new NetworkError("port-in-use", `publish ${where}: the port is already in use; choose another one`, {
      cause,
    });
  }
  if (cause.code === "EACCES" || cause.code === "EPERM") {
    const message = `publish ${where}: the host does not let this user listen there; choose a port from 1024 on`;
    return new NetworkError("port-forbidden", message, { cause });
  }
  const message = `publish ${where}: the host cannot listen there (${cause.code ?? cause.message})`;
  return new NetworkError("address-unavailable", message, { cause });
}
