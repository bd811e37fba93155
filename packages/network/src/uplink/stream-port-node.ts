/** A socket that carries frames, as a port of a switch: with backpressure one way and bounded work the other. */
import type { Socket } from "node:net";
import { type Abilities, allAbilities, type Frame, frameBytes, noAbilities } from "../frame.ts";
import type { PortOptions, Switch, SwitchPort, SwitchTarget } from "../switch/switch.ts";
import { encodePrefix, FrameParser } from "./framing.ts";

/** Bytes that may wait for the other end; frames beyond are refused. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

export interface StreamPortOptions extends PortOptions {
  /** Frames travel with what is left to be done: the other end is a switch of ours. */
  readonly offloads: boolean;
  /** The connection has ended, for the reason given. */
  onClose(reason: string): void;
}

export class StreamPort implements SwitchTarget {
  readonly abilities: Abilities;
  readonly #socket: Socket;
  readonly #port: SwitchPort;
  readonly #offloads: boolean;
  #refused = false;
  #corked = false;

  constructor(device: Switch, socket: Socket, options: StreamPortOptions) {
    this.#socket = socket;
    this.#offloads = options.offloads;
    this.abilities = options.offloads ? allAbilities : noAbilities;
    this.#port = device.plug(this, options);
    const parser = new FrameParser(options.offloads);
    socket.on("data", (bytes: Uint8Array) => {
      const frames = parser.feed(bytes);
      if (frames === undefined) socket.destroy(new Error("what came is no frame"));
      for (const frame of frames ?? []) this.#port.input(frame);
    });
    socket.on("drain", () => this.#drained());
    let reason = "the other end closed the connection";
    socket.on("error", (error) => {
      reason = error.message;
    });
    socket.on("close", () => {
      this.#port.unplug();
      options.onClose(reason);
    });
  }

  deliver(frame: Frame): boolean {
    if (this.#socket.writableLength > MOST_WAITING_BYTES) {
      this.#refused = true;
      return false;
    }
    if (!this.#corked) this.#socket.cork();
    this.#corked = true;
    this.#socket.write(encodePrefix(frame, this.#offloads));
    // A frame is only lent, and the socket may keep what it is given.
    this.#socket.write(frameBytes(frame).slice());
    return true;
  }

  flush(): void {
    if (this.#corked) this.#socket.uncork();
    this.#corked = false;
  }

  close(): void {
    this.#socket.destroy();
  }

  #drained(): void {
    if (!this.#refused) return;
    this.#refused = false;
    this.#port.hasRoom();
  }
}
