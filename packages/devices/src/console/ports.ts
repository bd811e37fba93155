/**
 * Ports of a console device, the host's side: bytes with backpressure in both directions, and opening and closing.
 * Who calls it: the console device, and the host's terminal and command channels.
 */

/** Bytes for the guest that are kept while it has no buffers; more is refused. */
export const BACKLOG_BYTES = 64 * 1024;

export interface PortOptions {
  /** Name under which the guest finds the port. */
  readonly name?: string;
  /** The guest makes a terminal of it (hvc) instead of a stream. */
  readonly console?: boolean;
  /** Whether the host's end starts open; true unless said otherwise. */
  readonly open?: boolean;
  /** Bytes from the guest; the array is the callee's. */
  onData(bytes: Uint8Array<ArrayBuffer>): void;
  /** The guest opened its end. */
  onOpen?(): void;
  onClose?(): void;
  /** There is room for bytes again, after `write` took less than it was given. */
  onRoom?(): void;
}

/** What a port needs of its device. */
export interface PortHost {
  /** There are bytes for the guest. */
  deliver(port: Port): void;
  /** The host's end is open or closed now. */
  announce(port: Port): void;
  /** The guest's bytes may be taken again. */
  collect(port: Port): void;
}

export interface PortState {
  readonly name: string;
  readonly hostOpen: boolean;
  readonly closing: boolean;
  readonly guestOpen: boolean;
  /** Control messages that the guest has not been given yet. */
  readonly pending: readonly string[];
  readonly backlog: Uint8Array;
}

export class Port {
  readonly id: number;
  readonly name: string;
  readonly console: boolean;
  /** Control messages that the guest has not been given yet, by event; see `control.ts`. */
  readonly pending = new Set<string>();
  readonly #host: PortHost;
  readonly #options: PortOptions;
  #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  #refused = false;
  #paused = false;
  #hostOpen: boolean;
  #closing = false;
  #guestOpen = false;

  constructor(id: number, options: PortOptions, host: PortHost) {
    this.id = id;
    this.name = options.name ?? "";
    this.console = options.console ?? false;
    this.#hostOpen = options.open ?? true;
    this.#options = options;
    this.#host = host;
  }

  get hostOpen(): boolean {
    return this.#hostOpen;
  }

  get guestOpen(): boolean {
    return this.#guestOpen;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Bytes that wait for the guest. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** Bytes for the guest. @returns how many were taken; `onRoom` tells when the rest may be tried again. */
  write(bytes: Uint8Array): number {
    if (!this.#hostOpen || this.#closing) return 0;
    const taken = Math.min(bytes.length, BACKLOG_BYTES - this.#backlogBytes);
    if (taken > 0) this.#backlog.push(bytes.slice(0, taken));
    this.#backlogBytes += taken;
    this.#refused ||= taken < bytes.length;
    this.#host.deliver(this);
    return taken;
  }

  /** Opens the host's end again after `close`. */
  open(): void {
    this.#closing = false;
    if (this.#hostOpen) return;
    this.#hostOpen = true;
    this.#host.announce(this);
  }

  /** Ends the stream to the guest, behind all bytes that were taken: its reader sees the end of the file. */
  close(): void {
    if (!this.#hostOpen) return;
    this.#closing = true;
    this.#settle();
  }

  /** Holds the guest's bytes back: the host cannot take more at the moment. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#host.collect(this);
  }

  /** For the device: moves waiting bytes into a guest's buffers. */
  fill(views: readonly Uint8Array[]): void {
    for (const view of views) this.#fillOne(view);
  }

  /** For the device: the guest has been given the buffers that were filled. What the host does now comes behind them. */
  delivered(): void {
    this.#settle();
    if (!this.#refused || this.#backlogBytes > BACKLOG_BYTES / 2) return;
    this.#refused = false;
    this.#options.onRoom?.();
  }

  /** For the device: bytes from the guest. */
  receive(bytes: Uint8Array<ArrayBuffer>): void {
    this.#options.onData(bytes);
  }

  /** For the device: the guest's end is open or closed now. */
  setGuestOpen(open: boolean): void {
    if (open === this.#guestOpen) return;
    this.#guestOpen = open;
    if (open) this.#options.onOpen?.();
    else this.#options.onClose?.();
  }

  save(): PortState {
    return {
      name: this.name,
      hostOpen: this.#hostOpen,
      closing: this.#closing,
      guestOpen: this.#guestOpen,
      pending: [...this.pending],
      backlog: concatenate(this.#backlog, this.#backlogBytes),
    };
  }

  restore(state: PortState): void {
    this.#hostOpen = state.hostOpen;
    this.#closing = state.closing;
    this.#guestOpen = state.guestOpen;
    this.pending.clear();
    for (const event of state.pending) this.pending.add(event);
    this.#backlog = state.backlog.length === 0 ? [] : [state.backlog.slice()];
    this.#backlogBytes = state.backlog.length;
    this.#refused = false;
  }

  #fillOne(view: Uint8Array): void {
    for (let at = 0; at < view.length; ) {
      const first = this.#backlog[0];
      const bytes = Math.min(first.length, view.length - at);
      view.set(first.subarray(0, bytes), at);
      at += bytes;
      this.#backlogBytes -= bytes;
      if (bytes === first.length) this.#backlog.shift();
      else this.#backlog[0] = first.subarray(bytes);
    }
  }

  /** The end of the stream comes after the last byte. */
  #settle(): void {
    if (!this.#closing || this.#backlogBytes > 0) return;
    this.#closing = false;
    this.#hostOpen = false;
    this.#host.announce(this);
  }
}

function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
