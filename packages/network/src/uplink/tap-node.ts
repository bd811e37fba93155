/**
 * An uplink through a TAP device that somebody with the right to has opened: its file descriptor, inherited by this
 * process, or the device file of a macvtap, which needs nothing but to be opened. Node has no ioctl, so this process
 * cannot make a TAP device itself. @spec Linux "Universal TUN/TAP device driver", tap(4) of macvtap
 */
import { constants, open as openFile, read, write } from "node:fs";
import { promisify } from "node:util";
import { type Abilities, type Frame, frameBytes, frameOf, MAX_FRAME_BYTES, noAbilities } from "../frame.ts";
import { NetworkError } from "../network-error.ts";
import type { Switch, SwitchPort, SwitchTarget } from "../switch/switch.ts";
import type { Uplink } from "./passt-node.ts";

/** Frames that wait to be written. */
const MOST_WAITING = 256;
/** The header that a macvtap puts in front of frames; all zero when nothing is left to be done. */
const MACVTAP_HEADER_BYTES = 10;

/** Opens `tap`, a number or a path. Errors: `uplink-missing`. @param onWarning is told when the device fails. */
export async function tap(device: Switch, where: string, onWarning: (text: string) => void): Promise<Uplink> {
  const inherited = /^\d+$/.test(where);
  const descriptor = inherited ? Number(where) : await openDevice(where);
  return new TapPort(device, descriptor, inherited ? 0 : MACVTAP_HEADER_BYTES, (error) =>
    onWarning(`uplink tap:${where}: ${error.message}; the network is down`),
  );
}

const openDevice = (path: string): Promise<number> =>
  promisify(openFile)(path, constants.O_RDWR).catch((cause: NodeJS.ErrnoException) => {
    const message = `uplink tap:${path}: the device cannot be opened (${cause.code})`;
    throw new NetworkError("uplink-missing", message, { cause });
  });

class TapPort implements SwitchTarget, Uplink {
  readonly abilities: Abilities = noAbilities;
  readonly #descriptor: number;
  readonly #headerBytes: number;
  readonly #port: SwitchPort;
  readonly #failed: (error: Error) => void;
  #waiting = 0;
  #refused = false;
  #closed = false;

  constructor(device: Switch, descriptor: number, headerBytes: number, failed: (error: Error) => void) {
    this.#descriptor = descriptor;
    this.#headerBytes = headerBytes;
    this.#failed = failed;
    this.#port = device.plug(this);
    this.#readNext(new Uint8Array(headerBytes + MAX_FRAME_BYTES));
  }

  deliver(frame: Frame): boolean {
    if (this.#waiting >= MOST_WAITING) {
      this.#refused = true;
      return false;
    }
    const bytes = new Uint8Array(this.#headerBytes + frame.length);
    bytes.set(frameBytes(frame), this.#headerBytes);
    this.#waiting++;
    write(this.#descriptor, bytes, 0, bytes.length, null, () => this.#written());
    return true;
  }

  /** The descriptor stays open: a read that waits for a frame would be another file's otherwise. */
  close(): void {
    this.#closed = true;
    this.#port.unplug();
  }

  /** A read waits in a thread of its own until a frame comes. */
  #readNext(buffer: Uint8Array<ArrayBuffer>): void {
    read(this.#descriptor, buffer, 0, buffer.length, null, (error, count) => {
      if (this.#closed) return;
      if (error !== null && error.code !== "EAGAIN") {
        this.#port.unplug();
        this.#failed(error);
        return;
      }
      if (error === null) this.#port.input(frameOf(buffer.subarray(this.#headerBytes, count)));
      if (error === null && count > 0) this.#readNext(buffer);
      else setTimeout(() => this.#readNext(buffer), 5).unref();
    });
  }

  #written(): void {
    this.#waiting--;
    if (!this.#refused || this.#waiting > MOST_WAITING / 2) return;
    this.#refused = false;
    this.#port.hasRoom();
  }
}
