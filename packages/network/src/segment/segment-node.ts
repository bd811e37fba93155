/**
 * A network that several processes of this host share. The first to come listens on a UNIX socket and is the switch;
 * the others plug their own switch into it. When it ends, one of them takes its place. Frames stay on this host.
 */
import { randomInt } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostClock } from "../clock-node.ts";
import { Gateway } from "../nat/gateway.ts";
import { NetworkError } from "../network-error.ts";
import type { Switch } from "../switch/switch.ts";
import { StreamPort } from "../uplink/stream-port-node.ts";
import { privateAddresses } from "./addresses.ts";

/** Longest name: the path of a UNIX socket has 107 bytes. */
const MOST_NAME = 32;
const MOST_MEMBERS = 64;
const RETRY_MS = 20;
/** Who takes the place of a switch that has ended holds this lock for milliseconds; an older one was left behind. */
const STALE_LOCK_MS = 3000;
const GREETING_MS = 2000;
const HELLO = "bulkhead network 1\n";

export const isSegmentName = (name: string): boolean => name.length <= MOST_NAME && /^[a-z0-9][a-z0-9_-]*$/i.test(name);

/** The directory of this user's networks. Errors: `uplink-failed` where it is somebody else's. */
function segmentDirectory(): string {
  const uid = process.getuid?.() ?? 0;
  const base = process.env.XDG_RUNTIME_DIR ?? join(tmpdir(), `bulkhead-${uid}`);
  const directory = process.env.XDG_RUNTIME_DIR === undefined ? base : join(base, "bulkhead");
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const found = lstatSync(directory);
    if (!found.isDirectory() || found.uid !== uid) throw new Error(`${directory} is not this user's`);
    chmodSync(directory, 0o700);
    return directory;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new NetworkError("uplink-failed", `network: no directory for its socket: ${why}`, { cause });
  }
}

export class Segment {
  readonly #device: Switch;
  readonly #name: string;
  readonly #path: string;
  readonly #members = new Set<StreamPort>();
  #server: Server | undefined;
  #gateway: Gateway | undefined;
  #uplink: StreamPort | undefined;
  #closed = false;

  private constructor(device: Switch, name: string, path: string) {
    this.#device = device;
    this.#name = name;
    this.#path = path;
  }

  /** Plugs a switch into the network of that name. Errors: `uplink-failed`. */
  static async join(device: Switch, name: string, directory = segmentDirectory()): Promise<Segment> {
    const segment = new Segment(device, name, join(directory, `${name}.network`));
    await segment.#enter();
    return segment;
  }

  /** This process is the switch. */
  get isSwitch(): boolean {
    return this.#server !== undefined;
  }

  close(): void {
    this.#closed = true;
    this.#uplink?.close();
    this.#gateway?.close();
    for (const member of this.#members) member.close();
    // Node removes the socket's file with its server.
    this.#server?.close();
  }

  async #enter(): Promise<void> {
    while (!this.#closed) {
      if (await this.#connects()) return;
      if (this.#lock()) {
        try {
          if (await this.#connects()) return;
          rmSync(this.#path, { force: true });
          await this.#listen();
          return;
        } finally {
          rmdirSync(`${this.#path}.lock`);
        }
      }
      await pause();
    }
  }

  /** Whether there is a switch, and we are plugged into it. */
  async #connects(): Promise<boolean> {
    const found = await this.#tryConnect();
    if (found === "stranger") {
      throw new NetworkError("uplink-failed", `network ${this.#name}: ${this.#path} belongs to another program`);
    }
    return found === "joined";
  }

  #lock(): boolean {
    const lock = `${this.#path}.lock`;
    try {
      mkdirSync(lock);
      return true;
    } catch {
      const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
      if (since !== undefined && Date.now() - since > STALE_LOCK_MS) {
        try {
          rmdirSync(lock);
        } catch {
          // Somebody else was quicker.
        }
      }
      return false;
    }
  }

  #tryConnect(): Promise<"joined" | "nobody" | "stranger"> {
    return new Promise((resolve) => {
      const socket = connect(this.#path);
      socket.once("error", () => resolve("nobody"));
      socket.setTimeout(GREETING_MS, () => socket.destroy());
      greet(socket, (greeted) => {
        if (!greeted || this.#closed) {
          socket.destroy();
          resolve("stranger");
          return;
        }
        socket.setTimeout(0);
        socket.unref();
        this.#uplink = new StreamPort(this.#device, socket, {
          offloads: true,
          trunk: "all",
          floodLimit: { perSecond: 10_000, burst: 20_000 },
          onClose: () => this.#lost(),
        });
        resolve("joined");
      });
    });
  }

  #lost(): void {
    this.#uplink = undefined;
    if (!this.#closed) {
      void pause()
        .then(() => this.#enter())
        .catch(() => {});
    }
  }

  #listen(): Promise<void> {
    const server = createServer((socket) => this.#admit(socket));
    return new Promise((resolve, reject) => {
      server.once("error", (cause) => {
        reject(new NetworkError("uplink-failed", `network ${this.#name}: ${cause.message}`, { cause }));
      });
      server.listen(this.#path, () => {
        server.unref();
        this.#server = server;
        this.#serveAddresses();
        resolve();
      });
    });
  }

  /** The switch gives guests their addresses, and nothing else: there is no way out. */
  #serveAddresses(): void {
    const gateway = new Gateway({ clock: hostClock, addresses: privateAddresses(this.#name) });
    gateway.attach(this.#device.plug(gateway, { pinned: [gateway.mac] }));
    this.#gateway = gateway;
  }

  #admit(socket: Socket): void {
    socket.unref();
    socket.on("error", () => {});
    greet(socket, (greeted) => {
      if (!greeted || this.#members.size >= MOST_MEMBERS) {
        socket.destroy();
        return;
      }
      const member: StreamPort = new StreamPort(this.#device, socket, {
        offloads: true,
        trunk: "all",
        onClose: () => this.#members.delete(member),
      });
      this.#members.add(member);
    });
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, RETRY_MS + randomInt(RETRY_MS)));

/** Both ends say which protocol they speak before anything else. */
function greet(socket: Socket, done: (greeted: boolean) => void): void {
  let heard = Buffer.alloc(0);
  const hear = (bytes: Buffer): void => {
    heard = Buffer.concat([heard, bytes]);
    if (heard.length < HELLO.length) return;
    socket.off("data", hear);
    socket.off("close", closed);
    socket.pause();
    const rest = heard.subarray(HELLO.length);
    if (rest.length > 0) socket.unshift(rest);
    const right = heard.subarray(0, HELLO.length).toString() === HELLO;
    done(right);
    if (right) socket.resume();
  };
  const closed = (): void => done(false);
  socket.on("data", hear);
  socket.once("close", closed);
  socket.write(HELLO);
}
