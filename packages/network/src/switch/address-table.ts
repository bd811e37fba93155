/**
 * Where addresses were last seen: what a learning switch knows. Bounded in all and per port, so that a guest that
 * makes up addresses only pushes out its own. @spec IEEE 802.1D "The Filtering Database"
 */

export interface AddressTableLimits {
  /** Addresses of one port; the least recently seen one makes place for another. */
  readonly perPort: number;
  readonly ageMs: number;
}

export const usualAddressLimits: AddressTableLimits = { perPort: 512, ageMs: 300_000 };

interface Entry<Port> {
  readonly port: Port;
  seenMs: number;
}

/** An address within a VLAN, as one key: 12 and 48 bits. */
const keyOf = (vlan: number, mac: number): string => `${vlan}/${mac}`;

export class AddressTable<Port> {
  readonly #limits: AddressTableLimits;
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, Entry<Port>>();
  /** Keys of each port, the least recently learned first. */
  readonly #ofPort = new Map<Port, Set<string>>();

  constructor(limits: AddressTableLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  learn(vlan: number, mac: number, port: Port): void {
    const key = keyOf(vlan, mac);
    const entry = this.#entries.get(key);
    if (entry?.port === port) {
      entry.seenMs = this.#nowMs();
      return;
    }
    if (entry !== undefined) this.#ofPort.get(entry.port)?.delete(key);
    const keys = this.#keysOf(port);
    if (keys.size >= this.#limits.perPort) this.#forgetOldest(keys);
    keys.add(key);
    this.#entries.set(key, { port, seenMs: this.#nowMs() });
  }

  /** The port behind which an address is, as far as that is known. */
  find(vlan: number, mac: number): Port | undefined {
    const key = keyOf(vlan, mac);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#nowMs() - entry.seenMs <= this.#limits.ageMs) return entry.port;
    this.#entries.delete(key);
    this.#ofPort.get(entry.port)?.delete(key);
    return undefined;
  }

  /** Forgets all that was learned of a port. */
  remove(port: Port): void {
    for (const key of this.#ofPort.get(port) ?? []) this.#entries.delete(key);
    this.#ofPort.delete(port);
  }

  #keysOf(port: Port): Set<string> {
    const keys = this.#ofPort.get(port) ?? new Set();
    this.#ofPort.set(port, keys);
    return keys;
  }

  #forgetOldest(keys: Set<string>): void {
    for (const key of keys) {
      keys.delete(key);
      this.#entries.delete(key);
      return;
    }
  }
}
