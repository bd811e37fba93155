/** A disk that answers some of its requests, in any order, whenever it is asked. */
import type { BlockBackend } from "../block/backend.ts";
import { perform } from "../block/perform.ts";
import type { QueuedDisk } from "../block/queued-disk.ts";
import type { DiskRequest } from "../block/request.ts";
import type { Random } from "./random.ts";

export class LateDisk implements QueuedDisk {
  readonly readOnly = false;
  readonly canDiscard = true;
  readonly #disk: BlockBackend;
  readonly #random: Random;
  #requests: { request: DiskRequest; done: (error: unknown) => void }[] = [];

  constructor(disk: BlockBackend, random: Random) {
    this.#disk = disk;
    this.#random = random;
  }

  get size(): number {
    return this.#disk.size;
  }

  get underWay(): number {
    return this.#requests.length;
  }

  submit(request: DiskRequest, done: (error: unknown) => void): void {
    this.#requests.push({ request, done });
  }

  poll(): void {
    for (let left = this.#random.below(4); left > 0 && this.#requests.length > 0; left--) {
      const [{ request, done }] = this.#requests.splice(this.#random.below(this.#requests.length), 1);
      const fails = this.#random.below(8) === 0;
      if (!fails) perform(this.#disk, request);
      done(fails ? new Error("injected") : undefined);
    }
  }

  forget(): void {
    this.#requests = [];
  }

  resize(_bytes: number, done: (error: unknown) => void): void {
    done(new Error("not this one"));
  }

  close(): void {}
}
