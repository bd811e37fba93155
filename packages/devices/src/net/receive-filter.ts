/** Which frames a driver wants, as far as it has said so on the control queue. @spec virtio "Packet Receive Filtering" */
import { MAC_BYTES } from "./config.ts";

/** Most addresses that are kept of either table; beyond, everything of that kind is let through. */
const MOST_ADDRESSES = 64;
const BROADCAST = "ffffffffffff";

export interface ReceiveFilterState {
  readonly mac: string;
  readonly promiscuous: boolean;
  readonly allMulticast: boolean;
  /** Addresses in hexadecimal; null where there were too many to keep. */
  readonly unicast: readonly string[] | null;
  readonly multicast: readonly string[] | null;
}

export class ReceiveFilter {
  readonly #original: string;
  #state: ReceiveFilterState;

  constructor(mac: Uint8Array) {
    this.#original = mac.toHex();
    this.#state = this.#fresh();
  }

  reset(): void {
    this.#state = this.#fresh();
  }

  get mac(): Uint8Array<ArrayBuffer> {
    return Uint8Array.fromHex(this.#state.mac);
  }

  setMac(mac: Uint8Array): void {
    this.#state = { ...this.#state, mac: mac.toHex() };
  }

  setMode(mode: "promiscuous" | "allMulticast", on: boolean): void {
    this.#state = { ...this.#state, [mode]: on };
  }

  setTables(unicast: readonly Uint8Array[], multicast: readonly Uint8Array[]): void {
    const table = (addresses: readonly Uint8Array[]): string[] | null =>
      addresses.length > MOST_ADDRESSES ? null : addresses.map((address) => address.slice().toHex());
    this.#state = { ...this.#state, unicast: table(unicast), multicast: table(multicast) };
  }

  /** Whether the driver wants a frame with this destination. A driver that has never said gets all multicasts. */
  wants(frame: Uint8Array): boolean {
    const { mac, promiscuous, allMulticast, unicast, multicast } = this.#state;
    if (promiscuous) return true;
    const destination = frame.slice(0, MAC_BYTES).toHex();
    if (destination === mac || destination === BROADCAST) return true;
    if ((frame[0] & 1) === 1) return allMulticast || multicast === null || multicast.includes(destination);
    return unicast === null || unicast.includes(destination);
  }

  save(): ReceiveFilterState {
    return this.#state;
  }

  restore(state: ReceiveFilterState): void {
    this.#state = state;
  }

  #fresh(): ReceiveFilterState {
    return { mac: this.#original, promiscuous: false, allMulticast: false, unicast: [], multicast: null };
  }
}
