/** The serving side of a disk in a thread of its own. Who calls it: that thread. */
import type { BlockBackend } from "../backend.ts";
import { perform } from "../perform.ts";
import type { DiskShape } from "../request.ts";
import { kinds, Record, type RemoteKind, RemoteState, RemoteView, SLOT_BYTES, UNMAP, Word } from "./memory.ts";

/** A request as it is served. `data` is what to write, or where to read to. */
export interface ServedRequest {
  readonly kind: RemoteKind;
  readonly offset: number;
  readonly length: number;
  readonly unmap: boolean;
  readonly data: Uint8Array;
}

/** A disk whose answers take time; several requests may be under way. */
export interface AsyncBackend extends DiskShape {
  /** Errors: what went wrong, as an I/O error of the guest. */
  serve(request: ServedRequest): Promise<void>;
  /** Makes everything stable and gives the disk up. */
  close(): Promise<void>;
}

/** How long a thread looks for the next request before it sleeps: waking it up costs more than this. */
const SPIN_MS = 0.05;

export class DiskServer {
  readonly #view: RemoteView;
  readonly #wake: () => void;
  #taken = 0;

  /** @param wake lets the user know that something is completed. */
  constructor(memory: SharedArrayBuffer, wake: () => void) {
    this.#view = new RemoteView(memory);
    this.#wake = wake;
  }

  /** Serves a disk until its user closes it. Blocks the thread. */
  serve(backend: BlockBackend): void {
    for (;;) {
      const seen = this.#bell;
      const served = this.#drain((slot, request) => {
        try {
          performServed(backend, request);
          this.#complete(slot);
        } catch (error) {
          this.#complete(slot, error);
        }
      });
      if (served) continue;
      if (this.#closing) break;
      this.#sleep(seen);
    }
    backend.close?.();
  }

  /** The same for a disk whose answers take time. */
  async serveLater(backend: AsyncBackend): Promise<void> {
    for (;;) {
      const seen = this.#bell;
      this.#drain((slot, request) => {
        backend.serve(request).then(
          () => this.#complete(slot),
          (error) => this.#complete(slot, error),
        );
      });
      if (this.#closing) break;
      const rung = Atomics.waitAsync(this.#view.words, Word.bell, seen);
      if (rung.async) await rung.value;
    }
    await backend.close();
  }

  get #bell(): number {
    return Atomics.load(this.#view.words, Word.bell);
  }

  get #closing(): boolean {
    return this.#view.state !== RemoteState.open;
  }

  #sleep(seen: number): void {
    const end = performance.now() + SPIN_MS;
    while (performance.now() < end) if (this.#bell !== seen) return;
    Atomics.wait(this.#view.words, Word.bell, seen);
  }

  #drain(serve: (slot: number, request: ServedRequest) => void): boolean {
    let served = false;
    for (;;) {
      const slot = this.#view.next("submitted", this.#taken);
      if (slot === undefined) return served;
      this.#taken = (this.#taken + 1) | 0;
      served = true;
      serve(slot, this.#request(slot));
    }
  }

  #request(slot: number): ServedRequest {
    const at = this.#view.record(slot);
    const { words } = this.#view;
    const kind = kinds[words[at + Record.kind]];
    const length = this.#view.get64(at + Record.length);
    const moves = kind === "read" || kind === "write";
    return {
      kind,
      offset: this.#view.get64(at + Record.offset),
      length,
      unmap: (words[at + Record.flags] & UNMAP) !== 0,
      data: this.#view.data(slot, moves ? Math.min(length, SLOT_BYTES) : 0),
    };
  }

  /** A status other than 0 is the length of a sentence that says what went wrong. */
  #complete(slot: number, error?: unknown): void {
    let status = 0;
    if (error !== undefined) {
      const text = new TextEncoder()
        .encode(error instanceof Error ? error.message : String(error))
        .subarray(0, SLOT_BYTES);
      this.#view.data(slot, text.length).set(text);
      status = Math.max(1, text.length);
    }
    this.#view.words[this.#view.record(slot) + Record.status] = status;
    this.#view.push("completed", slot);
    Atomics.notify(this.#view.words, Word.completed);
    this.#wake();
  }
}

function performServed(backend: BlockBackend, { kind, offset, length, unmap, data }: ServedRequest): void {
  if (kind === "resize") {
    if (backend.resize === undefined) throw new Error("this kind of disk cannot be resized");
    backend.resize(offset);
  } else if (kind === "read" || kind === "write") perform(backend, { kind, offset, pieces: [data] });
  else if (kind === "discard") perform(backend, { kind, offset, length });
  else if (kind === "writeZeroes") perform(backend, { kind, offset, length, unmap });
  else perform(backend, { kind });
}
