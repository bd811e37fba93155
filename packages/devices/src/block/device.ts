/**
 * Block device: a disk. A request is a header, data and a status byte, in any split over descriptors.
 * @spec virtio "Block Device" "Device Operation"
 */
import type { Chain } from "../chain.ts";
import { DeviceId } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import { type BlockBackend, SECTOR_BYTES } from "./backend.ts";
import { BlockFeature, blockConfig, blockFeatures, QUEUE_SIZE } from "./config.ts";
import { eraseRanges } from "./ranges.ts";
import { BLOCK_STATE_VERSION, type BlockState, checkBlockState } from "./state.ts";
import { BlockStatus } from "./status.ts";

const HEADER_BYTES = 16;
const ID_BYTES = 20;
/** Most bytes in a request. U-Boot reads whole files at once; overlapping descriptors could ask for terabytes. */
const MAX_CHAIN_BYTES = 256 * 1024 * 1024;
/** Work at a time, in bytes of data: a queue full of requests must not hold the machine's thread for seconds. */
const PORTION_BYTES = 8 * 1024 * 1024;

const Request = { in: 0, out: 1, flush: 4, getId: 8, discard: 11, writeZeroes: 13 } as const;
/** Requests that may take long whatever their length: each is a portion of its own. */
const slowRequests: ReadonlySet<number> = new Set([Request.flush, Request.discard, Request.writeZeroes]);

export interface BlockOptions {
  /** Serial number that the guest can ask for, at most 20 ASCII characters. */
  readonly id?: string;
  /** Bytes of data after which the requests left in the queue wait for `work`. Default: 8 MiB. */
  readonly portionBytes?: number;
  /** Told about each failure of the backend; the guest sees an I/O error. */
  readonly onError?: (error: unknown) => void;
}

export class Block implements VirtioDevice {
  readonly id = DeviceId.block;
  readonly queues = [{ size: QUEUE_SIZE, maxChainBytes: MAX_CHAIN_BYTES }];
  readonly features: bigint;
  readonly config: Uint8Array;
  readonly #backend: BlockBackend;
  readonly #name: Uint8Array;
  readonly #onError: (error: unknown) => void;
  readonly #portionBytes: number;
  #busy = false;
  #transport!: DeviceTransport;

  constructor(backend: BlockBackend, options: BlockOptions = {}) {
    if (backend.size % SECTOR_BYTES !== 0)
      throw new Error(`a disk of ${backend.size} bytes does not end with a sector`);
    this.#backend = backend;
    this.features = blockFeatures(backend);
    this.config = blockConfig(backend);
    this.#name = new Uint8Array(ID_BYTES);
    new TextEncoder().encodeInto(options.id ?? "bulkhead", this.#name);
    this.#onError = options.onError ?? (() => {});
    this.#portionBytes = options.portionBytes ?? PORTION_BYTES;
  }

  /** Requests may be left in the queue: the machine's thread is to call `work` soon, even if every hart waits. */
  get busy(): boolean {
    return this.#busy;
  }

  attach(transport: DeviceTransport): void {
    this.#transport = transport;
  }

  /** Serves one portion. */
  notify(queue: number): void {
    const requests = this.#transport.queue(queue);
    this.#busy = false;
    for (let left = this.#portionBytes; left > 0; ) {
      const chain = requests.next();
      if (chain === undefined) return;
      if (chain.readable < HEADER_BYTES || chain.writable < 1) {
        this.#transport.fail("a block request lacks its header or its status byte");
        return;
      }
      left -= this.#serve(chain);
    }
    this.#busy = true;
  }

  /** Goes on with what a notification has left over, one portion at a time. Does nothing where nothing is left. */
  work(): void {
    if (!this.#busy) return;
    this.#busy = false;
    if (!this.#transport.running) return;
    this.notify(0);
    this.#transport.signal();
  }

  reset(): void {
    this.#busy = false;
  }

  save(): BlockState {
    return { version: BLOCK_STATE_VERSION, size: this.#backend.size, readOnly: this.#backend.readOnly };
  }

  /** Errors: `StateError` if the disk is not like the one the state was saved with. */
  restore(saved: unknown): void {
    checkBlockState(saved, this.#backend);
    this.#busy = true;
  }

  /** @returns what it cost, in bytes of data. */
  #serve(chain: Chain): number {
    const bytes = chain.readable + chain.writable;
    const { status, type } = this.#answer(chain);
    chain.skip(chain.writable - 1);
    chain.write(Uint8Array.of(status));
    chain.complete();
    return slowRequests.has(type) ? this.#portionBytes : bytes;
  }

  #answer(chain: Chain): { status: number; type: number } {
    const header = new DataView(chain.read(HEADER_BYTES).buffer);
    const type = header.getUint32(0, true);
    const sector = header.getBigUint64(8, true);
    try {
      return { type, status: this.#perform(chain, type, sector) };
    } catch (error) {
      this.#onError(error);
      return { type, status: BlockStatus.ioError };
    }
  }

  #perform(chain: Chain, type: number, sector: bigint): number {
    switch (type) {
      case Request.in:
        return this.#read(chain, sector);
      case Request.out:
        return this.#write(chain, sector);
      case Request.flush:
        this.#backend.flush();
        return BlockStatus.ok;
      case Request.getId:
        chain.write(this.#name.subarray(0, chain.writable - 1));
        return BlockStatus.ok;
      case Request.discard:
        if ((this.features & BlockFeature.discard) === 0n) return BlockStatus.unsupported;
        return eraseRanges(this.#backend, chain, "discard");
      case Request.writeZeroes:
        return eraseRanges(this.#backend, chain, "writeZeroes");
      default:
        return BlockStatus.unsupported;
    }
  }

  #read(chain: Chain, sector: bigint): number {
    const length = chain.writable - 1;
    let offset = this.#offsetOf(sector, length);
    if (offset === undefined) return BlockStatus.ioError;
    const views = chain.writeViews(length);
    try {
      for (const view of views) {
        this.#backend.read(offset, view);
        offset += view.length;
      }
    } catch (error) {
      // The used length says that all of it was written.
      for (const view of views) view.fill(0);
      throw error;
    }
    return BlockStatus.ok;
  }

  #write(chain: Chain, sector: bigint): number {
    let offset = this.#offsetOf(sector, chain.readable);
    if (offset === undefined || this.#backend.readOnly) return BlockStatus.ioError;
    for (const view of chain.readViews(chain.readable)) {
      this.#backend.write(offset, view);
      offset += view.length;
    }
    return BlockStatus.ok;
  }

  /** Where `length` bytes from a sector on begin, if they are whole sectors of the disk. */
  #offsetOf(sector: bigint, length: number): number | undefined {
    const end = sector * BigInt(SECTOR_BYTES) + BigInt(length);
    return length % SECTOR_BYTES === 0 && end <= BigInt(this.#backend.size) ? Number(sector) * SECTOR_BYTES : undefined;
  }
}
