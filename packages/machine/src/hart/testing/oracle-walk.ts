/**
 * The walk as the specification words it, step by step on BigInt, with no regard for speed: the oracle of mmu.test.ts.
 * @spec privileged "Virtual Address Translation Process", "Svnapot", "Svpbmt", "Physical Memory Protection"
 */

export type Access = "load" | "store" | "fetch";

/** Everything a translation depends on. */
export interface Walk {
  readonly privilege: number;
  readonly satp: bigint;
  readonly sum: boolean;
  readonly mxr: boolean;
  readonly adue: boolean;
  readonly pbmte: boolean;
  readonly pmpcfg: readonly number[];
  readonly pmpaddr: readonly bigint[];
  /** Doubleword at a physical address, or undefined where no RAM is. */
  readonly read: (address: bigint) => bigint | undefined;
  readonly write: (address: bigint, value: bigint) => void;
}

export type Translated = { physical: bigint } | { cause: number };

const bits = (value: bigint, high: number, low: number): bigint =>
  (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
const bit = (value: bigint, at: number): boolean => bits(value, at, at) === 1n;

const pageFault = (access: Access): Translated => ({ cause: { load: 13, store: 15, fetch: 12 }[access] });
const accessFault = (access: Access): Translated => ({ cause: { load: 5, store: 7, fetch: 1 }[access] });

export function oracleWalk(walk: Walk, va: bigint, access: Access, bytes: number): Translated {
  const levels = new Map([
    [0n, 0],
    [8n, 3],
    [9n, 4],
    [10n, 5],
  ]).get(walk.satp >> 60n)!;
  if (walk.privilege === 3 || levels === 0) return finish(walk, va, access, bytes);
  const vaBits = 12 + 9 * levels;
  const upper = va >> BigInt(vaBits - 1);
  if (upper !== 0n && upper !== (1n << BigInt(65 - vaBits)) - 1n) return pageFault(access);
  // Step 1 and 2: start at the root and read the entry.
  let a = bits(walk.satp, 43, 0) << 12n;
  for (let i = levels - 1; i >= 0; i--) {
    const address = a + bits(va, 20 + 9 * i, 12 + 9 * i) * 8n;
    if (!pmpAllows(walk, address, 8, 1, "load")) return accessFault(access);
    const pte = walk.read(address);
    if (pte === undefined) return accessFault(access);
    // Step 3: invalid and reserved encodings.
    if (!bit(pte, 0) || (!bit(pte, 1) && bit(pte, 2)) || bits(pte, 60, 54) !== 0n) return pageFault(access);
    const pbmt = bits(pte, 62, 61);
    // Step 4: a pointer to the next level.
    if (!bit(pte, 1) && !bit(pte, 3)) {
      if (bit(pte, 63) || pbmt !== 0n || bit(pte, 7) || bit(pte, 6) || bit(pte, 4)) return pageFault(access);
      a = bits(pte, 53, 10) << 12n;
      continue;
    }
    return leaf(walk, va, access, bytes, i, address, pte);
  }
  return pageFault(access);
}

function leaf(
  walk: Walk,
  va: bigint,
  access: Access,
  bytes: number,
  level: number,
  address: bigint,
  pte: bigint,
): Translated {
  const pbmt = bits(pte, 62, 61);
  if (pbmt === 3n || (pbmt !== 0n && !walk.pbmte)) return pageFault(access);
  // Step 5: permission by U, SUM, MXR and R, W, X.
  const user = bit(pte, 4);
  if (walk.privilege === 0 && !user) return pageFault(access);
  if (walk.privilege === 1 && user && (access === "fetch" || !walk.sum)) return pageFault(access);
  const permitted = {
    load: bit(pte, 1) || (walk.mxr && bit(pte, 3)),
    store: bit(pte, 2),
    fetch: bit(pte, 3),
  }[access];
  if (!permitted) return pageFault(access);
  // Step 6: misaligned superpages and Svnapot encodings.
  let ppn = bits(pte, 53, 10);
  const vpn = va >> 12n;
  let pageBits = 9n * BigInt(level);
  if (bits(ppn, Number(pageBits) - 1, 0) !== 0n && level > 0) return pageFault(access);
  if (bit(pte, 63)) {
    if (level !== 0 || bits(ppn, 3, 0) !== 8n) return pageFault(access);
    pageBits = 4n;
  }
  const within = (1n << pageBits) - 1n;
  ppn = (ppn & ~within) | (vpn & within);
  // Step 7 and 8: the A and D bits.
  const missing = !bit(pte, 6) || (access === "store" && !bit(pte, 7));
  if (missing) {
    if (!walk.adue) return pageFault(access);
    if (!pmpAllows(walk, address, 8, 1, "store")) return accessFault(access);
    walk.write(address, pte | 64n | (access === "store" ? 128n : 0n));
  }
  return finish(walk, (ppn << 12n) | bits(va, 11, 0), access, bytes);
}

function finish(walk: Walk, physical: bigint, access: Access, bytes: number): Translated {
  if (physical >> 56n !== 0n) return accessFault(access);
  return pmpAllows(walk, physical, bytes, walk.privilege, access) ? { physical } : accessFault(access);
}

/** The lowest-numbered entry that matches any byte decides; it must match all of them. An empty range matches none. */
export function pmpAllows(walk: Walk, address: bigint, bytes: number, privilege: number, access: Access): boolean {
  let previous = 0n;
  for (const [i, config] of walk.pmpcfg.entries()) {
    const pmpaddr = walk.pmpaddr[i];
    const [start, end] = region(config, previous, pmpaddr);
    previous = pmpaddr << 2n;
    const last = address + BigInt(bytes);
    if (start >= end || last <= start || address >= end) continue;
    if (address < start || last > end) return false;
    if (privilege === 3 && (config & 0x80) === 0) return true;
    return (config & { load: 1, store: 2, fetch: 4 }[access]) !== 0;
  }
  return privilege === 3;
}

function region(config: number, previous: bigint, pmpaddr: bigint): [bigint, bigint] {
  switch ((config >> 3) & 3) {
    case 1:
      return [previous, pmpaddr << 2n];
    case 2:
      return [pmpaddr << 2n, (pmpaddr << 2n) + 4n];
    case 3: {
      let size = 8n;
      let address = pmpaddr;
      while ((address & 1n) === 1n) {
        size *= 2n;
        address >>= 1n;
      }
      const start = (pmpaddr << 2n) & ~(size - 1n);
      return [start, start + size];
    }
    default:
      return [0n, 0n];
  }
}
