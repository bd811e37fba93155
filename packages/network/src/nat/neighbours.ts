/** Who is on the link: which Ethernet address an IP address belongs to, learned from what guests say. Bounded. */
import type { IpAddress } from "../wire/address.ts";

const MOST_NEIGHBOURS = 1024;

export class Neighbours {
  readonly #macs = new Map<string, number>();

  /** The least recently learned makes place when there are too many. */
  learn(address: IpAddress, mac: number): void {
    const key = address.toHex();
    if (this.#macs.get(key) === mac) return;
    this.#macs.delete(key);
    if (this.#macs.size >= MOST_NEIGHBOURS) {
      for (const oldest of this.#macs.keys()) {
        this.#macs.delete(oldest);
        break;
      }
    }
    this.#macs.set(key, mac);
  }

  find(address: IpAddress): number | undefined {
    return this.#macs.get(address.toHex());
  }
}
