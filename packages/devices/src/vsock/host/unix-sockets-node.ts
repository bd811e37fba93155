/**
 * A guest's sockets as UNIX sockets of the host, in Firecracker's way: a program of the host's connects to PATH, writes
 * `CONNECT PORT` and a newline, and reads `OK` and its own port; a program that listens on PATH_PORT is called by the guest.
 */
import { lstatSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { NetworkError } from "@bulkhead/network";
import { hostClock, NodeStream } from "@bulkhead/network/node";
import { VsockHost } from "./vsock-host.ts";

/** What a UNIX socket's path may have, with a port behind it. */
const MOST_PATH_BYTES = 107 - "_4294967295".length;
/** Programs that have connected and not said yet where to. */
const MOST_GREETINGS = 128;
const MOST_GREETING_BYTES = 32;

export interface VsockSockets {
  readonly host: VsockHost;
  close(): Promise<void>;
}

/** Starts to listen. Errors: `port-in-use`, `port-forbidden`, `address-unavailable`. @param cid the guest's address. */
export async function openVsock(path: string, cid: number): Promise<VsockSockets> {
  if (Buffer.byteLength(path) > MOST_PATH_BYTES) {
    throw new NetworkError("address-unavailable", `vsock ${path}: expected a path of at most ${MOST_PATH_BYTES} bytes`);
  }
  await removeStale(path);
  const host = new VsockHost({
    cid,
    clock: hostClock,
    programs: {
      dial(port, events) {
        const socket = connect({ path: `${path}_${port}`, allowHalfOpen: true });
        socket.unref();
        const stream = new NodeStream(socket);
        stream.listen(events, false);
        return stream;
      },
    },
  });
  const greetings = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => greet(socket, host, greetings));
  try {
    await listen(server, path);
  } catch (error) {
    await host.close();
    throw error;
  }
  return {
    host,
    async close() {
      // Node removes the socket's file with its server.
      server.close();
      for (const socket of greetings) socket.destroy();
      await host.close();
    },
  };
}

/** A socket that nobody listens on was left behind by a program that was killed. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new NetworkError("address-unavailable", `vsock ${path}: there is a file of that name that is no socket`);
  }
  const used = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "ECONNREFUSED"));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
  if (used) throw new NetworkError("port-in-use", `vsock ${path}: another program listens on it; choose another path`);
  rmSync(path, { force: true });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const forbidden = cause.code === "EACCES" || cause.code === "EPERM";
      const code = cause.code === "EADDRINUSE" ? "port-in-use" : forbidden ? "port-forbidden" : "address-unavailable";
      const hint = forbidden ? "; is there such a folder, and may this user write to it?" : "";
      const message = `vsock ${path}: the host cannot listen there (${cause.code ?? cause.message})${hint}`;
      reject(new NetworkError(code, message, { cause }));
    });
    server.listen(path, () => {
      server.removeAllListeners("error");
      server.on("error", () => {});
      server.unref();
      resolve();
    });
  });
}

/** Reads the first line, and leaves what follows to the connection. */
function greet(socket: Socket, host: VsockHost, greetings: Set<Socket>): void {
  if (greetings.size >= MOST_GREETINGS) {
    socket.destroy();
    return;
  }
  socket.unref();
  greetings.add(socket);
  let heard = Buffer.alloc(0);
  const ignore = (): void => {};
  const leave = (): void => {
    greetings.delete(socket);
    socket.destroy();
  };
  const hear = (bytes: Buffer): void => {
    heard = Buffer.concat([heard, bytes]);
    const end = heard.indexOf("\n");
    if (end < 0 && heard.length <= MOST_GREETING_BYTES) return;
    const port = Number(/^CONNECT (\d{1,10})\r?$/.exec(heard.subarray(0, Math.max(end, 0)).toString("latin1"))?.[1]);
    if (!(port < 2 ** 32)) {
      leave();
      return;
    }
    socket.pause();
    socket.off("data", hear);
    socket.off("end", leave);
    socket.off("close", leave);
    greetings.delete(socket);
    const rest = heard.subarray(end + 1);
    if (rest.length > 0) socket.unshift(rest);
    const stream = new NodeStream(socket);
    const events = host.call(port, stream);
    if (events === undefined) socket.destroy();
    else stream.listen(events, true);
    socket.pause();
  };
  socket.on("error", ignore);
  socket.on("data", hear);
  socket.on("end", leave);
  socket.on("close", leave);
}
