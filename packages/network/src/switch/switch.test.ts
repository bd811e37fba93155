import assert from "node:assert/strict";
import { test } from "node:test";
import { type Abilities, allAbilities, type Frame, frameBytes, frameOf, noAbilities } from "../frame.ts";
import { BROADCAST_MAC, writeMac } from "../wire/address.ts";
import { tagged, vlanOf } from "../wire/ethernet.ts";
import { type PortOptions, Switch, type SwitchTarget } from "./switch.ts";

/** Something plugged in that remembers. */
class Station implements SwitchTarget {
  readonly abilities: Abilities;
  readonly frames: Uint8Array[] = [];
  flushes = 0;
  rooms = 0;
  full = false;

  constructor(abilities: Abilities = allAbilities) {
    this.abilities = abilities;
  }

  deliver(frame: Frame): boolean {
    if (!this.full) this.frames.push(frameBytes(frame).slice());
    return !this.full;
  }

  flush(): void {
    this.flushes++;
  }

  room(): void {
    this.rooms++;
  }

  take(): Uint8Array[] {
    return this.frames.splice(0);
  }
}

const frame = (destination: number, source: number, vlan?: number): Frame => {
  const bytes = new Uint8Array(60);
  writeMac(bytes, 0, destination);
  writeMac(bytes, 6, source);
  bytes[12] = 8;
  return frameOf(vlan === undefined ? bytes : tagged(bytes, vlan));
};

function three(...options: PortOptions[]) {
  let now = 0;
  const device = new Switch({ nowMs: () => now });
  const stations = [new Station(), new Station(), new Station()];
  const ports = stations.map((station, i) => device.plug(station, options[i]));
  /** How many frames each station has got since. */
  const got = () => stations.map((station) => station.take().length);
  return { device, stations, ports, got, pass: (ms: number) => (now += ms) };
}

test("Switch: sends what it does not know to everybody else, and then learns", () => {
  const { ports, got } = three();
  ports[0].input(frame(0x0b, 0x0a));
  assert.deepEqual(got(), [0, 1, 1]);
  ports[1].input(frame(0x0a, 0x0b));
  assert.deepEqual(got(), [1, 0, 0]);
  ports[0].input(frame(0x0b, 0x0a));
  assert.deepEqual(got(), [0, 1, 0]);
  ports[0].input(frame(BROADCAST_MAC, 0x0a));
  assert.deepEqual(got(), [0, 1, 1]);
  ports[0].input(frame(0x0a, 0x0c));
  assert.deepEqual(got(), [0, 0, 0], "a frame to where it comes from goes nowhere");
});

test("Switch: follows an address that moves, and forgets one that is silent or unplugged", () => {
  const { ports, got, pass } = three();
  ports[0].input(frame(BROADCAST_MAC, 0x0a));
  ports[1].input(frame(BROADCAST_MAC, 0x0a));
  got();
  ports[2].input(frame(0x0a, 0x0c));
  assert.deepEqual(got(), [0, 1, 0]);
  pass(300_001);
  ports[2].input(frame(0x0a, 0x0c));
  assert.deepEqual(got(), [1, 1, 0]);
  ports[1].input(frame(BROADCAST_MAC, 0x0a));
  got();
  ports[1].unplug();
  ports[2].input(frame(0x0a, 0x0c));
  assert.deepEqual(got(), [1, 0, 0]);
});

test("Switch: keeps VLANs apart; a trunk carries them with tags", () => {
  const { ports, stations, got } = three({ vlan: 10 }, { vlan: 20 }, { vlan: 1, trunk: [10, 20] });
  ports[0].input(frame(BROADCAST_MAC, 0x0a));
  assert.equal(stations[1].frames.length, 0);
  assert.equal(vlanOf(stations[2].frames[0]), 10);
  assert.equal(stations[2].frames[0].length, 64);
  got();
  ports[2].input(frame(0x0a, 0x0c, 10));
  assert.equal(stations[0].frames.length, 1);
  assert.equal(vlanOf(stations[0].frames[0]), undefined);
  assert.deepEqual(got(), [1, 0, 0]);
  ports[2].input(frame(0x0a, 0x0c, 20));
  assert.deepEqual(got(), [0, 1, 0], "the same address is another one in another VLAN");
  ports[2].input(frame(BROADCAST_MAC, 0x0c, 30));
  ports[2].input(frame(BROADCAST_MAC, 0x0c));
  ports[0].input(frame(BROADCAST_MAC, 0x0a, 20));
  assert.deepEqual(got(), [0, 0, 0]);
  assert.equal(ports[0].counters.refused + ports[2].counters.refused, 2);
});

test("Switch: moves what an offload points at with the tag", () => {
  const { ports, stations } = three({ vlan: 10 }, {}, { trunk: [10] });
  let seen: Frame | undefined;
  stations[2].deliver = (each) => {
    seen = each;
    return true;
  };
  const { parts } = frame(BROADCAST_MAC, 0x0a);
  const offload = { checksumStart: 34, checksumOffset: 16, segmentation: 1, segmentBytes: 9, headerBytes: 54 };
  ports[0].input({ parts, length: 60, offload });
  assert.deepEqual(seen?.offload, { ...offload, checksumStart: 38, headerBytes: 58 });
});

test("Switch: refuses addresses that are no sender's, pinned ones from elsewhere, and what is no frame", () => {
  const { ports, got } = three({ pinned: [0x0e] });
  ports[1].input(frame(0x0e, 0x0b));
  assert.deepEqual(got(), [1, 0, 0]);
  ports[1].input(frame(BROADCAST_MAC, 0x0e));
  ports[1].input(frame(BROADCAST_MAC, BROADCAST_MAC));
  ports[1].input(frame(BROADCAST_MAC, 0));
  ports[1].input(frameOf(new Uint8Array(13)));
  assert.deepEqual(got(), [0, 0, 0]);
  assert.equal(ports[1].counters.refused, 4);
  ports[2].input(frame(0x0e, 0x0c));
  assert.deepEqual(got(), [1, 0, 0]);
});

test("Switch: limits floods, and frames that it knows the way of are no flood", () => {
  const limit = { perSecond: 10, burst: 5 };
  const { ports, got, pass } = three({ floodLimit: limit });
  ports[1].input(frame(0x0a, 0x0b));
  got();
  for (let i = 0; i < 100; i++) ports[0].input(frame(BROADCAST_MAC, 0x0a));
  assert.deepEqual(got(), [0, 5, 5]);
  for (let i = 0; i < 100; i++) ports[0].input(frame(0x0b, 0x0a));
  assert.deepEqual(got(), [0, 100, 0]);
  pass(300);
  for (let i = 0; i < 100; i++) ports[0].input(frame(BROADCAST_MAC, 0x0a));
  assert.deepEqual(got(), [0, 3, 3]);
  assert.equal(ports[0].counters.limited, 192);
});

test("Switch: a port that makes up addresses pushes out only its own", () => {
  const { ports, got } = three();
  ports[1].input(frame(BROADCAST_MAC, 0x0b));
  for (let i = 0; i < 2000; i++) ports[0].input(frame(0x0b, 0x10000 + i));
  got();
  ports[2].input(frame(0x0b, 0x0c));
  assert.deepEqual(got(), [0, 1, 0]);
  ports[2].input(frame(0x10000, 0x0c));
  assert.deepEqual(got(), [1, 1, 0], "the oldest is forgotten");
  ports[2].input(frame(0x10000 + 1999, 0x0c));
  assert.deepEqual(got(), [1, 0, 0]);
});

test("Switch: says when a frame was lost for want of room, and when there is room again", () => {
  const { ports, stations } = three();
  ports[1].input(frame(BROADCAST_MAC, 0x0b));
  stations[1].full = true;
  assert.equal(ports[0].input(frame(0x0b, 0x0a)), false);
  assert.equal(ports[1].counters.lost, 1);
  ports[1].hasRoom();
  assert.deepEqual(
    stations.map(({ rooms }) => rooms),
    [1, 0, 1],
  );
});

test("Switch: flushes once behind many frames", async () => {
  const { ports, stations } = three();
  for (let i = 0; i < 10; i++) ports[0].input(frame(BROADCAST_MAC, 0x0a));
  assert.equal(stations[1].flushes, 0);
  await Promise.resolve();
  assert.deepEqual([stations[1].flushes, stations[0].flushes], [1, 0]);
});

test("Switch: does what a receiver cannot do", () => {
  const device = new Switch();
  const plain = new Station(noAbilities);
  const port = device.plug(new Station());
  device.plug(plain);
  const { parts } = frame(BROADCAST_MAC, 0x0a);
  parts[0][20] = 7;
  const offload = { checksumStart: 20, checksumOffset: 4, segmentation: 0, segmentBytes: 0, headerBytes: 0 };
  port.input({ parts, length: 60, offload });
  assert.deepEqual([...plain.frames[0].subarray(24, 26)], [0xf8, 0xff]);
  assert.deepEqual([...parts[0].subarray(24, 26)], [0, 0]);
});

test("Switch.plug: refuses VLANs that there are not", () => {
  for (const vlan of [0, 4095, 1.5]) assert.throws(() => new Switch().plug(new Station(), { vlan }), RangeError);
});
