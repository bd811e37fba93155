import assert from "node:assert/strict";
import { test } from "node:test";
import { type Frame, frameBytes, noAbilities } from "./frame.ts";
import { IpOutput } from "./nat/ip-output.ts";
import { prepare } from "./segmentation.ts";
import { seededRandom } from "./testing/random.ts";
import { ip } from "./wire/address.ts";
import { checksum, fold, pseudoHeaderSum } from "./wire/checksum.ts";
import { tagged } from "./wire/ethernet.ts";
import { type Packet, parseIp4Packet, parseIp6Packet } from "./wire/ip.ts";
import { parseTcp, TcpFlag } from "./wire/tcp-segment.ts";

/** A large segment as the gateway makes it. */
function large(source: string, destination: string, payload: Uint8Array, cut: number): Frame {
  const frames: Frame[] = [];
  const output = new IpOutput(2, 1500, (frame) => frames.push(frame) > 0);
  const header = {
    ...{ sourcePort: 80, destinationPort: 1000, sequence: 0xffff_ff00, acknowledgement: 7, window: 9 },
    flags: TcpFlag.ack | TcpFlag.psh | TcpFlag.fin,
  };
  output.segment({ mac: 4, source: ip(source), destination: ip(destination) }, header, [payload], cut);
  return frames[0];
}

const payloadOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7);
const packetOf = (frame: Frame, six: boolean, skip = 14): Packet => {
  const payload = frameBytes(frame).subarray(skip);
  return (six ? parseIp6Packet(payload) : parseIp4Packet(payload)) ?? assert.fail("no packet");
};
const sumOf = ({ source, destination, protocol, payload }: Packet): number =>
  checksum(payload, fold(pseudoHeaderSum(source, destination, protocol, payload.length)));

for (const [name, source, destination] of [
  ["IPv4", "10.0.2.2", "10.0.2.15"],
  ["IPv6", "fd00::2", "fd00::15"],
] as const) {
  test(`prepare: cuts a large segment of TCP over ${name} into right ones`, () => {
    const payload = payloadOf(5000);
    const frames = prepare(large(source, destination, payload, 1448), noAbilities);
    const segments = frames.map((frame) => {
      const packet = packetOf(frame, name === "IPv6");
      assert.equal(sumOf(packet), 0);
      return parseTcp(packet.payload) ?? assert.fail();
    });
    assert.deepEqual(
      segments.map((segment) => [segment.sequence, segment.payload.length, segment.flags]),
      [
        [0xffff_ff00, 1448, TcpFlag.ack],
        [0xffff_ff00 + 1448 - 2 ** 32, 1448, TcpFlag.ack],
        [0xffff_ff00 + 2896 - 2 ** 32, 1448, TcpFlag.ack],
        [0xffff_ff00 + 4344 - 2 ** 32, 656, TcpFlag.ack | TcpFlag.psh | TcpFlag.fin],
      ],
    );
    assert.deepEqual(Buffer.concat(segments.map((segment) => segment.payload)), Buffer.from(payload));
  });

  test(`prepare: fills in a missing checksum over ${name}, and leaves the frame itself alone`, () => {
    const frame = large(source, destination, payloadOf(101), 0);
    const before = frameBytes(frame).slice();
    const [complete] = prepare(frame, noAbilities);
    assert.equal(sumOf(packetOf(complete, name === "IPv6")), 0);
    assert.deepEqual(frameBytes(frame), before);
  });
}

test("prepare: cuts below a VLAN tag too", () => {
  const frame = large("10.0.2.2", "10.0.2.15", payloadOf(3000), 1000);
  const whole = tagged(frameBytes(frame), 7);
  const frames = prepare({ ...frame, parts: [whole], length: whole.length }, noAbilities);
  assert.equal(frames.length, 3);
  for (const each of frames) assert.equal(sumOf(packetOf(each, false, 18)), 0);
});

test("prepare: gives what a receiver can do on as it is", () => {
  const frame = large("10.0.2.2", "10.0.2.15", payloadOf(3000), 1000);
  assert.equal(prepare(frame, { checksum: true, tcp4: true, tcp6: false })[0], frame);
  assert.equal(prepare(frame, { checksum: true, tcp4: false, tcp6: true }).length, 3);
});

test("prepare: drops what does not hold together, and what would become too many", (t) => {
  const random = seededRandom(t);
  const frame = large("10.0.2.2", "10.0.2.15", payloadOf(60_000), 10);
  assert.deepEqual(prepare(frame, noAbilities), []);
  for (let round = 0; round < 2000; round++) {
    const bytes = frameBytes(large("10.0.2.2", "10.0.2.15", payloadOf(random(3000)), 500)).slice(0, 14 + random(3000));
    for (let i = random(8); i > 0; i--) bytes[random(bytes.length)] = random(256);
    const offload = {
      checksumStart: random(2000),
      checksumOffset: random(2000),
      segmentation: [0, 1, 4][random(3)],
      segmentBytes: random(3000),
      headerBytes: random(3000),
    };
    const made = prepare({ parts: [bytes], length: bytes.length, offload }, noAbilities);
    assert.ok(made.length <= 257);
  }
});
