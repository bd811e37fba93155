import assert from "node:assert/strict";
import { test } from "node:test";
import { type Frame, frameBytes } from "../frame.ts";
import { seededRandom } from "../testing/random.ts";
import { type IpAddress, ip } from "../wire/address.ts";
import { checksum, fold, pseudoHeaderSum } from "../wire/checksum.ts";
import { EtherType, writeEthernet } from "../wire/ethernet.ts";
import { type Fragment, ipHeaderBytes, Protocol, writeIp } from "../wire/ip.ts";
import { usualAddresses } from "./addresses.ts";
import { Gateway } from "./gateway.ts";
import { NearEcho } from "./near-echo.ts";

const GUEST = 0x02_00_00_00_00_77;
const near = new NearEcho(usualAddresses, 1500);

interface Request {
  readonly from?: IpAddress;
  readonly to: IpAddress;
  readonly type?: number;
  readonly fragment?: Fragment;
  readonly mac?: number;
}

/** An echo request with its checksum, unless it is to be another message. */
function request({ to, type, fragment, mac = usualAddresses.mac, ...rest }: Request): Uint8Array<ArrayBuffer> {
  const six = to.length === 16;
  const from = rest.from ?? ip(six ? "fd62:756c:6b68:1::77" : "10.0.2.15");
  const protocol = six ? Protocol.icmp6 : Protocol.icmp4;
  const message = Uint8Array.of(type ?? (six ? 128 : 8), 0, 0, 0, 1, 2, 3, 4, ...new TextEncoder().encode("data"));
  const sum = checksum(message, six ? fold(pseudoHeaderSum(from, to, protocol, message.length)) : 0);
  message.set([sum >> 8, sum & 0xff], 2);
  const header = { source: from, destination: to, protocol, hops: 64, length: message.length, fragment };
  const start = 14 + ipHeaderBytes(header);
  const bytes = new Uint8Array(start + message.length);
  writeEthernet(bytes, mac, GUEST, six ? EtherType.ip6 : EtherType.ip4);
  writeIp(bytes, 14, header);
  bytes.set(message, start);
  return bytes;
}

const answer = (bytes: Uint8Array): Frame | undefined => near.answer([bytes], bytes.length);

/** What the gateway itself answers a frame with. */
function ofGateway(frame: Uint8Array): Uint8Array | undefined {
  const frames: Uint8Array[] = [];
  const gateway = new Gateway({ clock: { nowMs: 0, every: () => () => {} } });
  const port = { input: (each: Frame) => frames.push(frameBytes(each).slice()) > 0 };
  gateway.attach(port as unknown as Parameters<Gateway["attach"]>[0]);
  gateway.deliver({ parts: [frame], length: frame.length, offload: answer(request({ to: ip("10.0.2.2") }))!.offload });
  return frames.find((each) => each[23] === Protocol.icmp4 || each[20] === Protocol.icmp6);
}

test("NearEcho: answers for all addresses of the gateway what the gateway would", () => {
  for (const to of ["10.0.2.2", "10.0.2.3", "fd62:756c:6b68:1::2", "fe80::2"].map(ip)) {
    const frame = request({ to });
    const found = answer(frame);
    assert.ok(found !== undefined);
    assert.deepEqual(frameBytes(found), ofGateway(frame));
  }
});

test("NearEcho: leaves all else to the gateway", () => {
  const to = ip("10.0.2.2");
  const others: Readonly<Record<string, Uint8Array>> = {
    "another host": request({ to: ip("192.0.2.1") }),
    "another message": request({ to, type: 13 }),
    "an address of the gateway's own": request({ to, from: ip("10.0.2.3") }),
    "an address that is not of the link": request({ to, from: ip("192.0.2.9") }),
    "another machine on the link": request({ to, mac: GUEST + 1 }),
    "a fragment": request({ to, fragment: { id: 1, offset: 0, more: true } }),
    "a wrong checksum": request({ to }).fill(9, 40),
    "an empty frame": new Uint8Array(14),
  };
  for (const [what, frame] of Object.entries(others)) assert.equal(answer(frame), undefined, what);
});

test("NearEcho: survives damaged frames", (t) => {
  const random = seededRandom(t);
  for (let run = 0; run < 2000; run++) {
    const frame = request({ to: ip(random(2) === 0 ? "10.0.2.2" : "fe80::2") });
    for (let flips = random(6); flips > 0; flips--) frame[random(frame.length)] = random(256);
    const cut = frame.subarray(0, random(3) === 0 ? 1 + random(frame.length) : frame.length);
    const middle = random(cut.length + 1);
    near.answer([cut.subarray(0, middle), cut.subarray(middle)], cut.length);
  }
});
