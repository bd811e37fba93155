/**
 * A disk that another thread serves, used synchronously: the user's thread sleeps until the answer is there. For what
 * stands on a disk without being one itself, such as an overlay.
 */
import type { BlockBackend } from "../backend.ts";
import type { DiskRequest, DiskShape } from "../request.ts";
import { RemoteDisk } from "./disk.ts";
import { RemoteView, Word } from "./memory.ts";

export class BlockingDisk implements BlockBackend {
  readonly #disk: RemoteDisk;
  readonly #view: RemoteView;
  readonly discard: BlockBackend["discard"];

  constructor(memory: SharedArrayBuffer, shape: DiskShape) {
    this.#disk = new RemoteDisk(memory, shape);
    this.#view = new RemoteView(memory);
    this.discard = shape.canDiscard ? (offset, length) => this.#do({ kind: "discard", offset, length }) : undefined;
  }

  get size(): number {
    return this.#disk.size;
  }

  get readOnly(): boolean {
    return this.#disk.readOnly;
  }

  read(offset: number, into: Uint8Array): void {
    this.#do({ kind: "read", offset, pieces: [into] });
  }

  write(offset: number, from: Uint8Array): void {
    this.#do({ kind: "write", offset, pieces: [from] });
  }

  flush(): void {
    this.#do({ kind: "flush" });
  }

  writeZeroes(offset: number, length: number, unmap: boolean): void {
    this.#do({ kind: "writeZeroes", offset, length, unmap });
  }

  close(): void {
    this.#disk.close();
  }

  #do(request: DiskRequest): void {
    let ended = false;
    let failure: unknown;
    this.#disk.submit(request, (error) => {
      ended = true;
      failure = error;
    });
    for (;;) {
      const seen = Atomics.load(this.#view.words, Word.completed);
      this.#disk.poll();
      if (ended) break;
      Atomics.wait(this.#view.words, Word.completed, seen);
    }
    if (failure !== undefined) throw failure;
  }
}
