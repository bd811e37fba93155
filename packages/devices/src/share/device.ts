/**
 * File system device: a folder of the host in the guest. Requests are FUSE's; a service answers them, at once or later.
 * @spec virtio "File System Device"
 */
import { StateError } from "../saved-state.ts";
import { DeviceId } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import { MAX_TRANSFER_BYTES } from "./fuse/init.ts";
import type { ShareService } from "./service.ts";
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
  readonly #service: ShareService;
  readonly #tag: string;
  #waiting = 0;
  #inFlight = 0;
  #transport!: DeviceTransport;

  constructor(service: ShareService, { tag }: ShareOptions) {
    this.#service = service;
    this.#tag = tag;
    new TextEncoder().encodeInto(tag, this.config.subarray(0, TAG_BYTES));
    new DataView(this.config.buffer).setUint32(TAG_BYTES, 1, true);
  }

  /** Requests in the queues wait for `work`. */
  get busy(): boolean {
    return this.#waiting !== 0;
  }

  /** Requests that the guest will hear of without doing anything: it must not be taken for stuck. */
  get active(): boolean {
    return this.busy || this.#inFlight > 0;
  }

  get settled(): boolean {
    return this.#inFlight === 0;
  }

  attach(transport: DeviceTransport): void {
    this.#transport = transport;
  }

  /** Takes one portion. */
  notify(index: number): void {
    const queue = this.#transport.queue(index);
    this.#waiting &= ~(1 << index);
    for (let left = PORTION; left > 0; left--) {
      // Each takes a descriptor until it is answered, so a driver that keeps to the rules cannot have more.
      if (this.#inFlight >= QUEUE_SIZE * this.queues.length) {
        this.#transport.fail("a shared folder has more requests under way than descriptors");
        return;
      }
      const chain = queue.next();
      if (chain === undefined) return;
      this.#inFlight++;
      this.#service.serve(chain, (wrong) => {
        this.#inFlight--;
        if (wrong === undefined) chain.complete();
        else this.#transport.fail(wrong);
      });
      if (!this.#transport.running) return;
    }
    this.#waiting |= 1 << index;
  }

  /** Ends what has been answered meanwhile, and goes on with what a notification has left over. */
  work(): void {
    const before = this.#inFlight;
    this.#service.poll?.();
    if (this.#waiting === 0 && this.#inFlight === before) return;
    for (const index of this.queues.keys()) {
      if ((this.#waiting & (1 << index)) !== 0 && this.#transport.running) this.notify(index);
    }
    if (!this.#transport.running) this.#waiting = 0;
    this.#transport.signal();
  }

  reset(): void {
    this.#waiting = 0;
    this.#inFlight = 0;
    this.#service.reset();
  }

  /** Errors: `StateError` for a share on a thread of its own. */
  save(): ShareState {
    const state = this.#service.save?.();
    if (state === undefined) throw notSaved();
    return { version: SHARE_STATE_VERSION, tag: this.#tag, readOnly: this.#service.readOnly, ...state };
  }

  /** Errors: `StateError` if the share is not like the one the state was saved with. */
  restore(saved: unknown): void {
    const state = checkShareState(saved, this.#tag, this.#service.readOnly);
    if (this.#service.restore === undefined) throw notSaved();
    this.#service.restore(state);
    this.#waiting = 3;
  }
}

const notSaved = (): StateError =>
  new StateError("state-mismatch", "a shared folder that has a thread of its own cannot be saved");
