/** Connections to NBD servers over TCP and UNIX sockets. */
import { connect, type Socket } from "node:net";
import type { NbdAddress } from "./address.ts";
import type { ByteStream } from "./stream.ts";

/** Received bytes that nobody has read yet, beyond which the server is kept from sending. */
const MOST_UNREAD = 4 * 1024 * 1024;

/** Errors: those of the socket, or that nobody has answered in time. */
export function connectNbd(address: NbdAddress, timeoutMs: number): Promise<ByteStream> {
  const socket =
    "socket" in address ? connect({ path: address.socket }) : connect({ host: address.host, port: address.port });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    socket.once("error", reject);
    socket.once("close", () => clearTimeout(timer));
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.setNoDelay(true);
      resolve(new SocketStream(socket));
    });
  });
}

class SocketStream implements ByteStream {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #unread = 0;
  #wanted: { length: number; resolve: (bytes: Uint8Array) => void; reject: (reason: Error) => void } | undefined;
  #ended: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#receive(chunk as Buffer));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the server has closed the connection")));
  }

  read(length: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#wanted = { length, resolve, reject };
      this.#deliver();
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#ended === undefined) this.#socket.write(bytes);
  }

  close(reason: Error): void {
    this.#end(reason);
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#unread += chunk.length;
    if (this.#unread > MOST_UNREAD && (this.#wanted === undefined || this.#wanted.length <= MOST_UNREAD)) {
      this.#socket.pause();
    }
    this.#deliver();
  }

  #deliver(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    if (this.#unread >= wanted.length) {
      this.#wanted = undefined;
      wanted.resolve(this.#take(wanted.length));
      if (this.#socket.isPaused()) this.#socket.resume();
    } else if (this.#ended !== undefined) {
      this.#wanted = undefined;
      wanted.reject(this.#ended);
    }
  }

  #take(length: number): Uint8Array {
    this.#unread -= length;
    const [first] = this.#chunks;
    if (first !== undefined && first.length > length) {
      this.#chunks[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    const taken: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const chunk = this.#chunks[0];
      taken.push(chunk.subarray(0, left));
      if (chunk.length > left) this.#chunks[0] = chunk.subarray(left);
      else this.#chunks.shift();
      left -= Math.min(left, chunk.length);
    }
    return taken.length === 1 ? taken[0] : Buffer.concat(taken);
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    this.#deliver();
  }
}
