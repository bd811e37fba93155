/**
 * Block device: a disk. A request is a header, data and a status byte, in any split over descriptors. The disk answers at
 * once, or later and in any order. @spec virtio "Block Device" "Device Operation"
 */
import type { Chain } from "../chain.ts";
import { DeviceId } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import { type BlockBackend, SECTOR_BYTES } from "./backend.ts";
import { blockConfig, blockFeatures, QUEUE_SIZE } from "./config.ts";
import { DiskError } from "./disk-error.ts";
import { perform } from "./perform.ts";
import type { QueuedDisk } from "./queued-disk.ts";
import { type DiskLimits, RateLimit } from "./rate-limit.ts";
import { type DiskRequest, type DiskShape, HEADER_BYTES, RequestReader, requestBytes } from "./request.ts";
import { BLOCK_STATE_VERSION, type BlockState, checkBlockState } from "./state.ts";
import { BlockStatus } from "./status.ts";

const ID_BYTES = 20;
/** Most bytes in a request. U-Boot reads whole files at once; overlapping descriptors could ask for terabytes. */
const MAX_CHAIN_BYTES = 256 * 1024 * 1024;
/** Work at a time, in bytes of data: a queue full of requests must not hold the machine's thread for seconds. */
const PORTION_BYTES = 8 * 1024 * 1024;

export interface BlockOptions {
  /** Serial number that the guest can ask for, at most 20 ASCII characters. */
  readonly id?: string;
  readonly limits?: DiskLimits;
  /** Bytes of data after which the requests left in the queue wait for `work`. Default: 8 MiB. */
  readonly portionBytes?: number;
  /** Told about each failure of the disk; the guest sees an I/O error. */
  readonly onError?: (error: unknown) => void;
  /** A clock for limits, in milliseconds. */
  readonly nowMs?: () => number;
}

export class Block implements VirtioDevice {
  readonly id = DeviceId.block;
  readonly queues = [{ size: QUEUE_SIZE, maxChainBytes: MAX_CHAIN_BYTES }];
  readonly features: bigint;
  readonly #disk: DiskShape;
  readonly #backend: BlockBackend | undefined;
  readonly #queued: QueuedDisk | undefined;
  readonly #name: Uint8Array;
  readonly #onError: (error: unknown) => void;
  readonly #portionBytes: number;
  readonly #limit: RateLimit;
  readonly #reader = new RequestReader();
  #config: Uint8Array;
  #busy = false;
  #limited = false;
  #inFlight = 0;
  #transport!: DeviceTransport;

  constructor(disk: BlockBackend | QueuedDisk, options: BlockOptions = {}) {
    if (disk.size % SECTOR_BYTES !== 0) throw new Error(`a disk of ${disk.size} bytes does not end with a sector`);
    this.#queued = "submit" in disk ? disk : undefined;
    this.#backend = "submit" in disk ? undefined : disk;
    this.#disk = "submit" in disk ? disk : shapeOf(disk);
    this.features = blockFeatures(this.#disk);
    this.#config = blockConfig(this.#disk);
    this.#name = new Uint8Array(ID_BYTES);
    new TextEncoder().encodeInto(options.id ?? "bulkhead", this.#name);
    this.#onError = options.onError ?? (() => {});
    this.#portionBytes = options.portionBytes ?? PORTION_BYTES;
    this.#limit = new RateLimit(options.limits ?? {}, options.nowMs ?? (() => performance.now()));
  }

  get config(): Uint8Array {
    return this.#config;
  }

  /** 0 if `work` is to be called soon, even if every hart waits; else for how long it has nothing to do by itself. */
  waitMs(): number {
    if (this.#busy) return 0;
    return this.#limited ? this.#limit.waitMs() : Number.POSITIVE_INFINITY;
  }

  /** Requests that the guest will hear of without doing anything: it must not be taken for stuck. */
  get active(): boolean {
    return this.#busy || this.#limited || this.#inFlight > 0;
  }

  /** Requests that a disk which answers later has not answered yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get settled(): boolean {
    return this.#inFlight === 0;
  }

  attach(transport: DeviceTransport): void {
    this.#transport = transport;
  }

  /** Serves one portion. */
  notify(queue: number): void {
    const requests = this.#transport.queue(queue);
    this.#busy = false;
    this.#limited = false;
    for (let left = this.#portionBytes; left > 0; ) {
      if (this.#limit.waitMs() > 0) {
        this.#limited = true;
        return;
      }
      const chain = requests.next();
      if (chain === undefined) return;
      const wrong = this.#faultOf(chain);
      if (wrong !== undefined) {
        this.#transport.fail(wrong);
        return;
      }
      left -= this.#serve(chain);
    }
    this.#busy = true;
  }

  /** Ends what a disk has answered, and goes on with what a notification has left over, one portion at a time. */
  work(): void {
    const before = this.#inFlight;
    this.#queued?.poll();
    const ready = this.#busy || (this.#limited && this.#limit.waitMs() === 0);
    if (ready && this.#transport.running) this.notify(0);
    else if (ready) this.reset();
    if (ready || this.#inFlight !== before) this.#transport.signal();
  }

  reset(): void {
    this.#busy = false;
    this.#limited = false;
    this.#inFlight = 0;
    this.#queued?.forget();
  }

  /**
   * Makes the disk larger and tells the driver. @param done is told when it is, or what was wrong: a `DiskError`, and
   * then nothing has changed.
   */
  resize(bytes: number, done: (error: unknown) => void = () => {}): void {
    const finish = (error: unknown): void => {
      if (error === undefined) {
        this.#config = blockConfig(this.#disk);
        this.#transport.configChanged();
      }
      done(error);
    };
    if (this.#queued !== undefined) this.#queued.resize(bytes, finish);
    else finish(this.#resizeNow(bytes));
  }

  /** Requests that are in flight are no part of it: there must be none. */
  save(): BlockState {
    if (this.#inFlight > 0) throw new Error("a block device was saved with requests in flight");
    return { version: BLOCK_STATE_VERSION, size: this.#disk.size, readOnly: this.#disk.readOnly };
  }

  /** Errors: `StateError` if the disk is not like the one the state was saved with. */
  restore(saved: unknown): void {
    checkBlockState(saved, this.#disk);
    this.#busy = true;
  }

  #resizeNow(bytes: number): unknown {
    const disk = this.#backend;
    try {
      if (disk?.resize === undefined) throw new DiskError("disk-format", "this kind of disk cannot be resized");
      disk.resize(bytes);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** What is wrong with a request that cannot even be answered, if anything. */
  #faultOf(chain: Chain): string | undefined {
    if (chain.readable < HEADER_BYTES || chain.writable < 1) {
      return "a block request lacks its header or its status byte";
    }
    // Each takes a descriptor until it is answered, so a driver that keeps to the rules cannot have more.
    return this.#inFlight >= QUEUE_SIZE ? "a block device has more requests under way than descriptors" : undefined;
  }

  /** @returns what it cost, in bytes of data. */
  #serve(chain: Chain): number {
    const request = this.#reader.read(chain, this.#disk);
    if (typeof request === "number") return this.#finish(chain, request);
    if (request === "getId") {
      chain.write(this.#name.subarray(0, chain.writable - 1));
      return this.#finish(chain, BlockStatus.ok);
    }
    const bytes = requestBytes(request);
    this.#limit.charge(bytes);
    if (this.#queued !== undefined) this.#submit(this.#queued, chain, request);
    else this.#finish(chain, this.#perform(request));
    // Any other request may take long whatever its length: it is a portion of its own.
    return request.kind === "read" || request.kind === "write" ? bytes + HEADER_BYTES : this.#portionBytes;
  }

  #perform(request: DiskRequest): number {
    try {
      if (this.#backend !== undefined) perform(this.#backend, request);
      return BlockStatus.ok;
    } catch (error) {
      return this.#failed(request, error);
    }
  }

  #submit(disk: QueuedDisk, chain: Chain, request: DiskRequest): void {
    this.#inFlight++;
    disk.submit(request, (error) => {
      this.#inFlight--;
      this.#finish(chain, error === undefined ? BlockStatus.ok : this.#failed(request, error));
    });
  }

  #failed(request: DiskRequest, error: unknown): number {
    this.#onError(error);
    // The used length says that all of it was written.
    if (request.kind === "read") for (const piece of request.pieces) piece.fill(0);
    return BlockStatus.ioError;
  }

  /** Gives a chain back with its status. @returns what a request without data costs. */
  #finish(chain: Chain, status: number): number {
    chain.skip(chain.writable - 1);
    chain.writeByte(status);
    chain.complete();
    return HEADER_BYTES;
  }
}

/** The shape of a disk that is used synchronously: its size may change. */
const shapeOf = (disk: BlockBackend): DiskShape => ({
  get size() {
    return disk.size;
  },
  readOnly: disk.readOnly,
  canDiscard: disk.discard !== undefined,
});
