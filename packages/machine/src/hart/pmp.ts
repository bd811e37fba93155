/**
 * Physical memory protection: 16 entries, granularity 4 bytes. @spec privileged "Physical Memory Protection"
 * Who calls it: the MMU on walks and accesses, the CSRs `pmpcfg` and `pmpaddr`. A page with one set of permissions may
 * be cached in the TLB; a page that an entry's boundary divides is checked on every access.
 */
import { PMP_ENTRIES, Slot } from "./state.ts";

/** Permission bits of a page or an access. */
export const READ = 1;
export const WRITE = 2;
export const EXECUTE = 4;
const ALL = READ | WRITE | EXECUTE;
/** Instead of permissions: they differ within the page. */
export const DIVIDED = -1;

const LOCKED = 0x80;
const TOR = 1;
const NA4 = 2;
const NAPOT = 3;
/** `pmpaddr` holds bits 55 to 2 of a physical address. */
const ADDRESS_BITS = 54;
const PAGE = 4096;
const ALL_BYTES = 2 ** 56;

const matching = (config: number): number => (config >> 3) & 3;

export class Pmp {
  readonly #words: Int32Array;
  readonly #doublewords: BigInt64Array;
  /** Active entries in order of priority: bytes [start, end), permissions, and whether they bind M-mode too. */
  readonly #starts = new Float64Array(PMP_ENTRIES);
  readonly #ends = new Float64Array(PMP_ENTRIES);
  readonly #permissions = new Int32Array(PMP_ENTRIES);
  readonly #locked = new Uint8Array(PMP_ENTRIES);
  #active = 0;
  /** No active entry binds M-mode: none is locked, and none matches only a part of a page and so of an access. */
  #machineOpen = true;
  /** Permissions that hold everywhere outside M-mode, or -1 if they differ. */
  #everywhere = 0;

  constructor(words: Int32Array, doublewords: BigInt64Array) {
    this.#words = words;
    this.#doublewords = doublewords;
  }

  /** READ | WRITE | EXECUTE bits of a whole page (by number), for M-mode or for S- and U-mode; or DIVIDED. */
  ofPage(page: number, machine: boolean): number {
    if (machine && this.#machineOpen) return ALL;
    if (!machine && this.#everywhere >= 0) return this.#everywhere;
    return this.#of(page * PAGE, PAGE, machine, DIVIDED);
  }

  /** Whether it permits everything everywhere: to M-mode, or to S- and U-mode. */
  isOpen(machine: boolean): boolean {
    return machine ? this.#machineOpen : this.#everywhere === ALL;
  }

  /** Like `ofPage` for `bytes` bytes at an address; none if an entry matches only a part of them. */
  ofAccess(address: number, bytes: number, machine: boolean): number {
    return this.#of(address, bytes, machine, 0);
  }

  /** Recomputes the active entries from the CSR slots; call it after anything wrote them. */
  refresh(): void {
    this.#active = 0;
    this.#machineOpen = true;
    let previous = 0;
    for (let i = 0; i < PMP_ENTRIES; i++) {
      const config = this.#config(i);
      const address = this.readAddress(i);
      const top = Number(address) * 4;
      if (matching(config) === TOR) this.#activate(previous, top, config);
      else if (matching(config) === NA4) this.#activate(top, top + 4, config);
      else if (matching(config) === NAPOT) this.#activateNapot(address, config);
      previous = top;
    }
    const coversAll = this.#active > 0 && this.#starts[0] === 0 && this.#ends[0] >= ALL_BYTES;
    this.#everywhere = coversAll ? this.#permissions[0] : this.#active === 0 ? 0 : -1;
  }

  /** Writes `pmpcfg0` (`register` 0) or `pmpcfg2` (1) from two halves. Locked entries keep their configuration. */
  writeConfig(register: number, low: number, high: number): void {
    for (let i = 0; i < 8; i++) {
      const entry = register * 8 + i;
      if ((this.#config(entry) & LOCKED) !== 0) continue;
      this.#setConfig(entry, legalConfig(((i < 4 ? low : high) >>> ((i & 3) * 8)) & 0xff));
    }
    this.refresh();
  }

  readAddress(entry: number): bigint {
    return this.#doublewords[Slot.pmpaddr / 2 + entry];
  }

  /** Writes `pmpaddr`, unless it is locked or the base of a locked top-of-range entry. */
  writeAddress(entry: number, value: bigint): void {
    if ((this.#config(entry) & LOCKED) !== 0) return;
    if (entry + 1 < PMP_ENTRIES) {
      const above = this.#config(entry + 1);
      if ((above & LOCKED) !== 0 && matching(above) === TOR) return;
    }
    this.#doublewords[Slot.pmpaddr / 2 + entry] = BigInt.asUintN(ADDRESS_BITS, value);
    this.refresh();
  }

  /** Permissions by the first entry that matches any of the bytes, or `partial` if it does not match all of them. */
  #of(address: number, bytes: number, machine: boolean, partial: number): number {
    const end = address + bytes;
    for (let i = 0; i < this.#active; i++) {
      if (end <= this.#starts[i] || address >= this.#ends[i]) continue;
      if (address < this.#starts[i] || end > this.#ends[i]) return partial;
      return machine && this.#locked[i] === 0 ? ALL : this.#permissions[i];
    }
    return machine ? ALL : 0;
  }

  #activate(start: number, end: number, config: number): void {
    if (start >= end) return;
    if ((config & LOCKED) !== 0 || start % PAGE !== 0 || end % PAGE !== 0) this.#machineOpen = false;
    const i = this.#active++;
    this.#starts[i] = start;
    this.#ends[i] = end;
    this.#permissions[i] = config & ALL;
    this.#locked[i] = config & LOCKED;
  }

  /** The trailing ones of the address say how large the region is: 8 bytes for none. */
  #activateNapot(address: bigint, config: number): void {
    let ones = 0;
    while (((address >> BigInt(ones)) & 1n) !== 0n) ones++;
    const start = Number((address >> BigInt(ones)) << BigInt(ones)) * 4;
    this.#activate(start, start + 2 ** (ones + 3), config);
  }

  #config(entry: number): number {
    return (this.#words[Slot.pmpcfg + (entry >> 2)] >>> ((entry & 3) * 8)) & 0xff;
  }

  #setConfig(entry: number, config: number): void {
    const at = Slot.pmpcfg + (entry >> 2);
    const shift = (entry & 3) * 8;
    this.#words[at] = (this.#words[at] & ~(0xff << shift)) | (config << shift);
  }
}

/** Bits 5 and 6 read 0; R = 0 with W = 1 is reserved, and W is dropped. */
function legalConfig(value: number): number {
  const config = value & 0x9f;
  return (config & READ) === 0 ? config & ~WRITE : config;
}
