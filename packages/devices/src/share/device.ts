/**
 * File system device: a folder of the host in the guest. Requests are FUSE's; each is served at once.
 * @spec virtio "File System Device"
 */
import { DeviceId } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import type { FileSystem } from "./file-system.ts";
import { MAX_TRANSFER_BYTES } from "./fuse/init.ts";
import { type CachePolicy, FuseSession } from "./fuse/session.ts";
import { checkShareState, SHARE_STATE_VERSION, type ShareState } from "./state.ts";

/** Bytes of a tag, padded with zeros. */
export const TAG_BYTES = 36;
/** A request of 256 pages with its headers, and as many more that wait. */
const QUEUE_SIZE = 512;
const MAX_CHAIN_BYTES = MAX_TRANSFER_BYTES + 128 * 1024;
/** Requests at a time: a queue full of them must not hold the machine's thread for long. */
const PORTION = 64;

export interface ShareOptions {
  /** What the guest mounts it by. */
  readonly tag: string;
  /** Default: `auto`. */
  readonly cache?: CachePolicy;
}

export class Share implements VirtioDevice {
  readonly id = DeviceId.fileSystem;
  /** First requests that need no answer, then all others. */
  readonly queues = [
    { size: QUEUE_SIZE, maxChainBytes: MAX_CHAIN_BYTES },
    { size: QUEUE_SIZE, maxChainBytes: MAX_CHAIN_BYTES },
  ];
  readonly features = 0n;
  readonly config = new Uint8Array(TAG_BYTES + 4);
  readonly #files: FileSystem;
  readonly #session: FuseSession;
  readonly #tag: string;
  #busy = 0;
  #transport!: DeviceTransport;

  constructor(files: FileSystem, { tag, cache }: ShareOptions) {
    this.#files = files;
    this.#tag = tag;
    this.#session = new FuseSession(files, cache);
    new TextEncoder().encodeInto(tag, this.config.subarray(0, TAG_BYTES));
    new DataView(this.config.buffer).setUint32(TAG_BYTES, 1, true);
  }

  /** Requests wait for `work`. */
  get busy(): boolean {
    return this.#busy !== 0;
  }

  attach(transport: DeviceTransport): void {
    this.#transport = transport;
  }

  /** Serves one portion. */
  notify(index: number): void {
    const queue = this.#transport.queue(index);
    this.#busy &= ~(1 << index);
    for (let left = PORTION; left > 0; left--) {
      const chain = queue.next();
      if (chain === undefined) return;
      const wrong = this.#session.serve(chain);
      if (wrong !== undefined) {
        this.#transport.fail(wrong);
        return;
      }
      chain.complete();
    }
    this.#busy |= 1 << index;
  }

  /** Goes on with what a notification has left over. */
  work(): void {
    if (this.#busy === 0) return;
    const queues = this.queues.keys().filter((index) => (this.#busy & (1 << index)) !== 0);
    if (!this.#transport.running) this.#busy = 0;
    else for (const index of queues) this.notify(index);
    this.#transport.signal();
  }

  reset(): void {
    this.#busy = 0;
    this.#session.reset();
  }

  save(): ShareState {
    return {
      version: SHARE_STATE_VERSION,
      tag: this.#tag,
      readOnly: this.#files.readOnly,
      ready: this.#session.ready,
      nodes: this.#files.save(),
    };
  }

  /** Errors: `StateError` if the share is not like the one the state was saved with. */
  restore(saved: unknown): void {
    const { ready, nodes } = checkShareState(saved, this.#tag, this.#files.readOnly);
    this.#session.reset();
    this.#files.restore(nodes);
    if (ready) this.#session.resume();
    this.#busy = 3;
  }
}
