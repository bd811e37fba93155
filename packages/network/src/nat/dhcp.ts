/** Gives guests their IPv4 addresses. @spec RFC 2131, RFC 2132 */
import type { IpAddress } from "../wire/address.ts";
import { readMac } from "../wire/address.ts";

const CLIENT_PORT = 68;
export const DHCP_SERVER_PORT = 67;
const FIXED_BYTES = 240;
const REPLY_BYTES = 300;
const COOKIE = 0x6382_5363;
const BROADCAST_FLAG = 0x8000;
const LEASE_SECONDS = 24 * 3600;
/** An address that was offered and not asked for is free again after this. */
const OFFER_MS = 60_000;

const Message = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6, release: 7, inform: 8 } as const;
const Option = {
  pad: 0,
  mask: 1,
  router: 3,
  dns: 6,
  mtu: 26,
  requested: 50,
  lease: 51,
  message: 53,
  server: 54,
  end: 255,
} as const;

export interface DhcpOptions {
  readonly server: IpAddress;
  /** Leading bits of the network's mask. */
  readonly bits: number;
  /** Undefined on a network without a way out. */
  readonly router?: IpAddress;
  readonly dns?: IpAddress;
  readonly mtu: number;
  /** Addresses to give, in this order. */
  readonly pool: readonly IpAddress[];
}

export interface DhcpReply {
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Where to: the address that the guest has or is being given, or undefined for everybody. */
  readonly address: IpAddress | undefined;
  readonly mac: number;
  readonly port: number;
}

interface Lease {
  readonly address: IpAddress;
  readonly mac: number;
  /** Only offered; free again at this time. */
  offeredUntilMs: number | undefined;
  usedMs: number;
}

export class DhcpServer {
  readonly #options: DhcpOptions;
  readonly #onLease: (address: IpAddress, mac: number) => void;
  /** By address, as text; an address is in at most one lease. */
  readonly #leases = new Map<string, Lease>();
  readonly #declined = new Set<string>();

  /** @param onLease is told which guest has which address. */
  constructor(options: DhcpOptions, onLease: (address: IpAddress, mac: number) => void) {
    this.#options = options;
    this.#onLease = onLease;
  }

  /** Addresses that guests have. */
  get leases(): readonly { readonly address: IpAddress; readonly mac: number }[] {
    return [...this.#leases.values()].filter(({ offeredUntilMs }) => offeredUntilMs === undefined);
  }

  /** The answer to a message of a guest, if it gets one. */
  answer(message: Uint8Array, nowMs: number): DhcpReply | undefined {
    const request = parse(message);
    if (request === undefined) return undefined;
    const { options, mac } = request;
    const kind = options.get(Option.message)?.[0];
    if (kind === Message.discover) return this.#offer(request, nowMs);
    if (kind === Message.request) return this.#acknowledge(request, nowMs);
    if (kind === Message.inform) return this.#reply(request, Message.ack, request.client);
    const lease = this.#leaseOf(mac);
    if (lease === undefined) return undefined;
    if (kind === Message.release || kind === Message.decline) this.#leases.delete(lease.address.toHex());
    if (kind === Message.decline && this.#declined.size < this.#options.pool.length / 2) {
      this.#declined.add(lease.address.toHex());
    }
    return undefined;
  }

  #offer(request: Request, nowMs: number): DhcpReply | undefined {
    const lease = this.#leaseOf(request.mac) ?? this.#free(request, nowMs);
    if (lease === undefined) return undefined;
    lease.usedMs = nowMs;
    if (lease.offeredUntilMs !== undefined) lease.offeredUntilMs = nowMs + OFFER_MS;
    return this.#reply(request, Message.offer, lease.address);
  }

  #acknowledge(request: Request, nowMs: number): DhcpReply | undefined {
    const server = request.options.get(Option.server);
    if (server !== undefined && server.toHex() !== this.#options.server.toHex()) return undefined;
    const wanted = request.options.get(Option.requested) ?? request.client;
    const lease = this.#leaseOf(request.mac) ?? this.#take(wanted, request.mac, nowMs);
    if (lease === undefined || lease.address.toHex() !== wanted.toHex()) {
      return this.#reply(request, Message.nak, undefined);
    }
    lease.offeredUntilMs = undefined;
    lease.usedMs = nowMs;
    this.#onLease(lease.address, lease.mac);
    return this.#reply(request, Message.ack, lease.address);
  }

  #leaseOf(mac: number): Lease | undefined {
    for (const lease of this.#leases.values()) if (lease.mac === mac) return lease;
    return undefined;
  }

  /** A lease for a guest that has none: of the address it asks for, or of the first that is free. */
  #free({ mac, options }: Request, nowMs: number): Lease | undefined {
    const wanted = options.get(Option.requested);
    const all = wanted === undefined ? this.#options.pool : [wanted, ...this.#options.pool];
    for (const address of all) {
      const lease = this.#take(address, mac, nowMs);
      if (lease !== undefined) return lease;
    }
    return this.#reclaim(mac, nowMs);
  }

  #take(address: IpAddress, mac: number, nowMs: number): Lease | undefined {
    const key = address.toHex();
    if (this.#declined.has(key) || !this.#options.pool.some((each) => each.toHex() === key)) return undefined;
    const owner = this.#leases.get(key);
    if (owner !== undefined && (owner.offeredUntilMs === undefined || owner.offeredUntilMs > nowMs)) return undefined;
    const lease = { address, mac, offeredUntilMs: nowMs + OFFER_MS, usedMs: nowMs };
    this.#leases.set(key, lease);
    return lease;
  }

  /** When every address is taken: the offer that has waited longest, since a flood takes only offers. */
  #reclaim(mac: number, nowMs: number): Lease | undefined {
    let oldest: Lease | undefined;
    for (const lease of this.#leases.values()) {
      if (lease.offeredUntilMs !== undefined && lease.usedMs < (oldest?.usedMs ?? nowMs)) oldest = lease;
    }
    if (oldest === undefined) return undefined;
    this.#leases.delete(oldest.address.toHex());
    return this.#take(oldest.address, mac, nowMs);
  }

  #reply(request: Request, kind: number, address: IpAddress | undefined): DhcpReply {
    const payload = new Uint8Array(REPLY_BYTES);
    const view = new DataView(payload.buffer);
    payload.set([2, 1, 6, 0]);
    view.setUint32(4, request.transaction);
    view.setUint16(10, request.flags);
    const renewing = request.client.some((byte) => byte !== 0);
    if (renewing && kind === Message.ack) payload.set(request.client, 12);
    if (address !== undefined) payload.set(address, 16);
    payload.set(this.#options.server, 20);
    payload.set(request.hardware, 28);
    view.setUint32(236, COOKIE);
    payload.set(this.#optionBytes(kind), FIXED_BYTES);
    const direct = kind !== Message.nak && (renewing || (request.flags & BROADCAST_FLAG) === 0);
    return { payload, address: direct ? address : undefined, mac: request.mac, port: CLIENT_PORT };
  }

  #optionBytes(kind: number): number[] {
    const { server, bits, router, dns, mtu } = this.#options;
    const own = [Option.message, 1, kind, Option.server, 4, ...server];
    if (kind === Message.nak) return [...own, Option.end];
    const mask = (0xffff_ffff << (32 - bits)) >>> 0;
    return [
      ...own,
      ...[Option.lease, 4, ...word(LEASE_SECONDS)],
      ...[Option.mask, 4, ...word(mask)],
      ...(router === undefined ? [] : [Option.router, 4, ...router]),
      ...(dns === undefined ? [] : [Option.dns, 4, ...dns]),
      ...[Option.mtu, 2, mtu >> 8, mtu & 0xff],
      Option.end,
    ];
  }
}

const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];

interface Request {
  readonly transaction: number;
  readonly flags: number;
  /** The address that the guest has; 0.0.0.0 where it has none. */
  readonly client: IpAddress;
  readonly hardware: Uint8Array;
  readonly mac: number;
  readonly options: ReadonlyMap<number, Uint8Array>;
}

function parse(bytes: Uint8Array): Request | undefined {
  if (bytes.length < FIXED_BYTES || bytes[0] !== 1 || bytes[1] !== 1 || bytes[2] !== 6) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(236) !== COOKIE) return undefined;
  return {
    transaction: view.getUint32(4),
    flags: view.getUint16(10),
    client: bytes.slice(12, 16),
    hardware: bytes.slice(28, 44),
    mac: readMac(bytes, 28),
    options: parseOptions(bytes.subarray(FIXED_BYTES)),
  };
}

function parseOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length && bytes[at] !== Option.end; ) {
    if (bytes[at] === Option.pad) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (at + 2 + length > bytes.length) break;
    options.set(bytes[at], bytes.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}
