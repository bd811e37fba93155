/** An NBD server for tests that can misbehave: lose its connections, its power, or its tongue. */
import { createServer, type Server, type Socket } from "node:net";

const FLAGS = 1 | 4 | 32 | 64;

export interface NbdServerOptions {
  /** Knows only the option to name an export. */
  readonly onlyExportName?: boolean;
  /** Error number that each write is answered with. */
  readonly writeError?: number;
}

export class NbdServer {
  /** What survives a loss of power. */
  stable: Buffer;
  /** What is read. */
  content: Buffer;
  /** Requests it still answers before it falls silent. */
  answers = Number.POSITIVE_INFINITY;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #options: NbdServerOptions;

  constructor(bytes: number, options: NbdServerOptions = {}) {
    this.stable = Buffer.alloc(bytes);
    this.content = Buffer.alloc(bytes);
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  /** Ends every connection; another can be made. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** What was not flushed is gone, and so are the connections. */
  losePower(): void {
    this.content = Buffer.from(this.stable);
    this.drop();
  }

  close(): Promise<void> {
    this.drop();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    const greeting = Buffer.alloc(18);
    greeting.write("NBDMAGICIHAVEOPT");
    greeting.writeUInt16BE(3, 16);
    socket.write(greeting);
    const session = new Session(this, socket, this.#options);
    socket.on("data", (chunk) => session.receive(chunk as Buffer));
  }
}

class Session {
  readonly #server: NbdServer;
  readonly #socket: Socket;
  readonly #options: NbdServerOptions;
  #buffer = Buffer.alloc(0);
  #phase: "flags" | "options" | "transmission" = "flags";

  constructor(server: NbdServer, socket: Socket, options: NbdServerOptions) {
    this.#server = server;
    this.#socket = socket;
    this.#options = options;
  }

  receive(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (let used = this.#step(); used > 0; used = this.#step()) this.#buffer = this.#buffer.subarray(used);
  }

  #step(): number {
    const buffer = this.#buffer;
    if (this.#phase === "flags") {
      if (buffer.length < 4) return 0;
      this.#phase = "options";
      return 4;
    }
    if (this.#phase === "options") return this.#option(buffer);
    if (buffer.length < 28) return 0;
    const length = buffer.readUInt32BE(24);
    const command = buffer.readUInt16BE(6);
    const used = 28 + (command === 1 ? length : 0);
    if (buffer.length < used) return 0;
    if (this.#server.answers-- > 0) this.#answer(command, buffer.subarray(0, used), length);
    return used;
  }

  #option(buffer: Buffer): number {
    if (buffer.length < 16 || buffer.length < 16 + buffer.readUInt32BE(12)) return 0;
    const option = buffer.readUInt32BE(8);
    const used = 16 + buffer.readUInt32BE(12);
    const information = Buffer.alloc(12);
    information.writeBigUInt64BE(BigInt(this.#server.content.length), 2);
    information.writeUInt16BE(FLAGS, 10);
    if (option === 1) {
      this.#socket.write(information.subarray(2));
      this.#phase = "transmission";
    } else if (option === 7 && this.#options.onlyExportName !== true) {
      this.#reply(option, 3, information);
      this.#reply(option, 1, Buffer.alloc(0));
      this.#phase = "transmission";
    } else this.#reply(option, 2 ** 31 + 1, Buffer.alloc(0));
    return used;
  }

  #reply(option: number, type: number, data: Buffer): void {
    const head = Buffer.alloc(20);
    head.writeBigUInt64BE(0x0003_e889_0455_65a9n, 0);
    head.writeUInt32BE(option, 8);
    head.writeUInt32BE(type, 12);
    head.writeUInt32BE(data.length, 16);
    this.#socket.write(Buffer.concat([head, data]));
  }

  #answer(command: number, request: Buffer, length: number): void {
    const { content } = this.#server;
    const offset = Number(request.readBigUInt64BE(16));
    let error = 0;
    if (command === 1) {
      error = this.#options.writeError ?? 0;
      if (error === 0) request.copy(content, offset, 28);
    } else if (command === 3) this.#server.stable = Buffer.from(content);
    else if (command === 4 || command === 6) content.fill(0, offset, offset + length);
    const head = Buffer.alloc(16);
    head.writeUInt32BE(0x6744_6698, 0);
    head.writeUInt32BE(error, 4);
    request.copy(head, 8, 8, 16);
    this.#socket.write(command === 0 ? Buffer.concat([head, content.subarray(offset, offset + length)]) : head);
  }
}
