/** Entropy device: fills what the driver lends with random bytes. @spec virtio "Entropy Device" */
import { DeviceId } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import { checkEntropyState, ENTROPY_STATE_VERSION, type EntropyState } from "./state.ts";

/** Most bytes served per request: bounds the host's work when a guest's descriptors overlap. */
const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_CHAIN_BYTES = 1024 * 1024;

/** Fills an array of up to 64 KiB with random bytes. */
export type RandomSource = (into: Uint8Array<ArrayBuffer>) => void;

export class Entropy implements VirtioDevice {
  readonly id = DeviceId.entropy;
  readonly queues = [{ size: 64, maxChainBytes: MAX_CHAIN_BYTES }];
  readonly features = 0n;
  readonly config = new Uint8Array(0);
  readonly #random: RandomSource;
  #transport!: DeviceTransport;

  constructor(random: RandomSource = (into) => crypto.getRandomValues(into)) {
    this.#random = random;
  }

  attach(transport: DeviceTransport): void {
    this.#transport = transport;
  }

  notify(queue: number): void {
    const requests = this.#transport.queue(queue);
    for (let chain = requests.next(); chain !== undefined; chain = requests.next()) {
      const bytes = new Uint8Array(Math.min(chain.writable, MAX_REQUEST_BYTES));
      this.#random(bytes);
      chain.write(bytes);
      chain.complete();
    }
  }

  save(): EntropyState {
    return { version: ENTROPY_STATE_VERSION };
  }

  /** Errors: `StateError`. */
  restore(saved: unknown): void {
    checkEntropyState(saved);
  }
}
