import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../clock.ts";
import { allAbilities, type Frame, frameBytes } from "../frame.ts";
import { Policy } from "../policy/policy.ts";
import { Switch, type SwitchTarget } from "../switch/switch.ts";
import { rule } from "../testing/nat-fixture-node.ts";
import { seededRandom } from "../testing/random.ts";
import { ip } from "../wire/address.ts";
import { encodeArp } from "../wire/arp.ts";
import { checksum, fold, pseudoHeaderSum } from "../wire/checksum.ts";
import { EtherType, writeEthernet } from "../wire/ethernet.ts";
import { type Fragment, type Packet, Protocol, parseIp4Packet, writeIp } from "../wire/ip.ts";
import { parseTcp, type TcpSegment, writeTcp } from "../wire/tcp-segment.ts";
import { encodeUdp } from "../wire/udp.ts";
import { Gateway } from "./gateway.ts";
import type { HostNetwork, StreamEvents } from "./host.ts";

const ROUNDS = 40_000;
const GATEWAY_MAC = 0x02_62_6b_00_00_02;
type Random = (limit: number) => number;

const bytesOf = (random: Random, length: number): Uint8Array => Uint8Array.from({ length }, () => random(256));

/** A clock that only moves when it is told to. */
class TestClock implements Clock {
  nowMs = 0;
  readonly #timers = new Set<() => void>();

  every(_ms: number, work: () => void): () => void {
    this.#timers.add(work);
    return () => this.#timers.delete(work);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const work of [...this.#timers]) work();
  }
}

/** A host that does anything, at any time. */
class WildHost implements HostNetwork {
  readonly #random: Random;
  readonly events: StreamEvents[] = [];
  written = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  connect(_address: Uint8Array, _port: number, events: StreamEvents) {
    this.events.push(events);
    if (this.events.length > 200) this.events.shift();
    const random = this.#random;
    return {
      get pendingBytes() {
        return random(3) === 0 ? random(2_000_000) : 0;
      },
      write: (bytes: Uint8Array) => {
        this.written += bytes.length;
      },
      end() {},
      reset() {},
      pause() {},
      resume() {},
    };
  }

  act(): void {
    const events = this.events[this.#random(this.events.length)];
    if (events === undefined) return;
    const action = this.#random(7);
    if (action < 2) events.connected();
    else if (action < 4) events.data(new Uint8Array(this.#random(100_000)));
    else if (action === 4) events.drained();
    else if (action === 5) events.ended();
    else if (this.#random(2) === 0) events.broken();
    else events.failed("unreachable");
  }

  socket(_family: 4 | 6, received: (bytes: Uint8Array, address: Uint8Array, port: number) => void) {
    const send = (bytes: Uint8Array, address: Uint8Array, port: number): void => received(bytes, address, port);
    return { send, close() {} };
  }

  async resolve(query: Uint8Array) {
    return this.#random(2) === 0 ? bytesOf(this.#random, this.#random(600)) : query;
  }

  async echo() {
    return this.#random(2) === 0;
  }
}

const addresses4 = ["10.0.2.2", "10.0.2.3", "10.0.2.255", "1.2.3.4", "255.255.255.255", "224.0.0.1"].map(ip);
const addresses6 = ["fd62:756c:6b68:1::2", "fd62:756c:6b68:1::3", "ff02::1", "2001:db8::1", "fe80::2"].map(ip);

/** What the gateway said last on its connections, so that answers hit the mark now and then. */
class Heard {
  readonly #last: { readonly packet: Packet; readonly segment: TcpSegment }[] = [];

  take(bytes: Uint8Array): void {
    const packet = parseIp4Packet(bytes.subarray(14));
    const segment = packet?.protocol === Protocol.tcp ? parseTcp(packet.payload) : undefined;
    if (packet === undefined || segment === undefined) return;
    this.#last.push({ packet, segment });
    if (this.#last.length > 20) this.#last.shift();
  }

  answer(random: Random, mac: number): Uint8Array | undefined {
    const heard = this.#last[random(this.#last.length)];
    if (heard === undefined) return undefined;
    const { packet, segment } = heard;
    const jitter = (): number => (random(4) === 0 ? random(2000) - 1000 : 0);
    const consumed = segment.payload.length + ((segment.flags & 3) === 0 ? 0 : 1);
    const data = bytesOf(random, random(3) * random(700));
    const tcp = new Uint8Array(20 + data.length);
    writeTcp(tcp, 0, {
      sourcePort: segment.destinationPort,
      destinationPort: segment.sourcePort,
      sequence: (segment.acknowledgement + jitter()) >>> 0,
      acknowledgement: (segment.sequence + consumed + jitter()) >>> 0,
      flags: [16, 16, 24, 24, 17, 20, 18][random(7)],
      window: [0, 1, 500, 0xffff][random(4)],
    });
    tcp.set(data, 20);
    return wrap(mac, packet.destination, packet.source, Protocol.tcp, tcp, {});
  }
}

/** A frame that makes some sense, before it is damaged. */
function plausible(random: Random, mac: number): Uint8Array {
  const six = random(3) === 0;
  const all = six ? addresses6 : addresses4;
  const destination = all[random(all.length)];
  const source = six ? ip("fd62:756c:6b68:1::77") : ip(random(4) === 0 ? "0.0.0.0" : "10.0.2.15");
  const protocol = [Protocol.tcp, Protocol.tcp, Protocol.udp, six ? Protocol.icmp6 : Protocol.icmp4][random(4)];
  const payload = transport(random, protocol, six);
  const fragment = random(10) === 0 ? { id: random(4), offset: random(4) * 8, more: random(2) === 0 } : undefined;
  const more = {
    hops: random(4) === 0 ? 255 : 64,
    everybody: random(8) === 0,
    ...(fragment && !six ? { fragment } : {}),
  };
  return wrap(mac, source, destination, protocol, payload, more);
}

/** A packet around a payload, its checksum filled in. */
function wrap(
  mac: number,
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  payload: Uint8Array,
  { hops = 64, everybody = false, fragment }: { hops?: number; everybody?: boolean; fragment?: Fragment },
): Uint8Array {
  const six = source.length === 16;
  const start = 14 + (six ? 40 : 20);
  const bytes = new Uint8Array(start + payload.length);
  writeEthernet(bytes, everybody ? 0xffff_ffff_ffff : GATEWAY_MAC, mac, six ? EtherType.ip6 : EtherType.ip4);
  const plain = fragment === undefined ? {} : { fragment };
  writeIp(bytes, 14, { source, destination, protocol, hops, length: payload.length, ...plain });
  bytes.set(payload, start);
  const at = start + (protocol === Protocol.tcp ? 16 : protocol === Protocol.udp ? 6 : 2);
  const pseudo = protocol === Protocol.icmp4 ? 0 : fold(pseudoHeaderSum(source, destination, protocol, payload.length));
  const sum = checksum(bytes.subarray(start), pseudo);
  bytes[at] = sum >> 8;
  bytes[at + 1] = sum & 0xff;
  return bytes;
}

/** Sequence numbers close to those that the gateway starts from. */
const near = (random: Random): number => (random(3) === 0 ? random(2 ** 32) : 1000 + random(70_000)) >>> 0;

function transport(random: Random, protocol: number, six: boolean): Uint8Array {
  const data = bytesOf(random, random(5) === 0 ? random(1400) : random(40));
  if (protocol === Protocol.tcp) {
    const bytes = new Uint8Array(20 + data.length);
    const flags = [2, 16, 24, 17, 20, 4, random(64)][random(7)];
    const numbers = { sequence: near(random), acknowledgement: near(random) };
    const ports = { sourcePort: 1 + random(6), destinationPort: [80, 53, 81][random(3)] };
    writeTcp(bytes, 0, { ...ports, ...numbers, flags, window: [0, 1, 0xffff, random(0xffff)][random(4)] });
    bytes.set(data, 20);
    return bytes;
  }
  if (protocol === Protocol.udp) return encodeUdp(1 + random(70), [53, 67, 80, 0][random(4)], data);
  const types = six ? [128, 133, 134, 135, 136, random(256)] : [8, 0, 3, random(256)];
  const message = new Uint8Array(8 + data.length);
  message[0] = types[random(types.length)];
  message.set(data, 8);
  return message;
}

function damage(random: Random, bytes: Uint8Array): Uint8Array {
  const action = random(4);
  if (action === 0) return bytes.slice(0, random(bytes.length + 1));
  const copy = bytes.slice();
  if (action === 1) for (let i = random(6); i >= 0; i--) copy[random(copy.length)] = random(256);
  return copy;
}

test("gateway: survives malformed frames, packets and segments, and a host that does anything", async (t) => {
  const random = seededRandom(t);
  const clock = new TestClock();
  const host = new WildHost(random);
  const device = new Switch({ nowMs: () => clock.nowMs });
  const policy = new Policy(["+host", "-81.0.0.0/8", "+*.example"].map(rule));
  const gateway = new Gateway({ clock, host, policy, random: () => 1000 + random(1000) });
  gateway.attach(device.plug(gateway, { pinned: [gateway.mac] }));
  const heard = new Heard();
  let full = false;
  let frames = 0;
  const guest: SwitchTarget = {
    abilities: allAbilities,
    deliver(frame: Frame) {
      const bytes = frameBytes(frame);
      assert.ok(bytes.length === frame.length && bytes.length >= 14 && bytes.length <= 65_553);
      if (full) return false;
      frames++;
      heard.take(bytes);
      return true;
    },
  };
  const port = device.plug(guest, { floodLimit: { perSecond: 1e6, burst: 1e6 } });
  for (let round = 0; round < ROUNDS; round++) {
    const action = random(20);
    const mac = 0x0200_0000_0010 + random(3);
    const answer = action < 6 ? heard.answer(random, mac) : undefined;
    if (answer !== undefined) send(random, port, random(6) === 0 ? damage(random, answer) : answer);
    else if (action < 13) send(random, port, damage(random, plausible(random, mac)));
    else if (action === 13) send(random, port, damage(random, arp(random, mac)));
    else if (action === 14) send(random, port, bytesOf(random, random(200)));
    else if (action < 18) host.act();
    else if (action === 18) clock.pass(random(10) === 0 ? random(100_000) : random(300));
    else {
      full = !full && random(3) === 0;
      if (!full) port.hasRoom();
    }
    if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(frames > 1000, `${frames} frames came back`);
  assert.ok(host.written > 0, "some bytes got through");
  assert.ok(gateway.connections < 200);
  clock.pass(3 * 3600_000);
  clock.pass(3 * 3600_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(gateway.connections, 0, "nothing is kept for ever");
  gateway.close();
});

function send(random: Random, port: { input(frame: Frame): boolean }, bytes: Uint8Array): void {
  const checksumStart = random(10) === 0 ? random(80) : 0;
  const segmentation = random(20) === 0 ? [1, 4][random(2)] : 0;
  const offload = {
    checksumStart: segmentation === 0 ? checksumStart : 34,
    checksumOffset: random(20),
    segmentation,
    segmentBytes: segmentation === 0 ? 0 : 1 + random(1500),
    headerBytes: segmentation === 0 ? 0 : random(100),
  };
  port.input({ parts: [bytes], length: bytes.length, offload });
}

function arp(random: Random, mac: number): Uint8Array {
  const target = addresses4[random(addresses4.length)];
  const message = {
    operation: 1 + random(3),
    senderMac: mac,
    senderIp: ip("10.0.2.15"),
    targetMac: 0,
    targetIp: target,
  };
  const bytes = new Uint8Array(14 + 28);
  writeEthernet(bytes, 0xffff_ffff_ffff, mac, EtherType.arp);
  bytes.set(encodeArp(message), 14);
  return bytes;
}
