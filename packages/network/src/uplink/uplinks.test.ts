import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { Capture } from "../capture/capture-node.ts";
import { frameBytes, frameOf } from "../frame.ts";
import { Segment } from "../segment/segment-node.ts";
import { Switch } from "../switch/switch.ts";
import { GuestStack } from "../testing/guest-stack.ts";
import { ip } from "../wire/address.ts";
import { FrameParser } from "./framing.ts";
import { passt } from "./passt-node.ts";
import { tap } from "./tap-node.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-uplinks-"));
});
after(() => rm(folder, { recursive: true }));

/** A stand-in for passt: sends back every frame with its addresses exchanged. */
function reflector(path: string) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const parser = new FrameParser(false);
    socket.on("data", (bytes) => {
      for (const frame of parser.feed(new Uint8Array(bytes as Buffer)) ?? assert.fail()) {
        const back = frameBytes(frame).slice();
        back.set(frameBytes(frame).subarray(6, 12), 0);
        back.set([2, 0, 0, 0, 0, 99], 6);
        socket.write(Uint8Array.from([0, 0, back.length >> 8, back.length & 0xff]));
        socket.write(back);
      }
    });
  });
  const listening = new Promise<void>((resolve) => server.listen(path, resolve));
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { listening, stop, sockets };
}

test("passt: frames go there and come back, and so does the uplink when passt was away", async (t) => {
  const path = join(folder, "passt");
  const device = new Switch();
  const warnings: string[] = [];
  const warned = { resolve: (): void => {} };
  const nextWarning = () => new Promise<void>((resolve) => (warned.resolve = resolve));
  const onWarning = (text: string): void => {
    warnings.push(text);
    warned.resolve();
  };
  await assert.rejects(passt(device, path, onWarning), { code: "uplink-missing", message: /passt --socket/ });
  const server = reflector(path);
  await server.listening;
  const uplink = await passt(device, path, onWarning);
  t.after(async () => {
    uplink.close();
    await server.stop();
  });
  const guest = new GuestStack(device);
  guest.arp(ip("10.0.2.2"));
  assert.equal((await guest.arps.next()).senderMac, guest.mac);
  let next = nextWarning();
  for (const socket of server.sockets) socket.destroy();
  await next;
  assert.match(warnings[0], /the network is down until it is back/);
  next = nextWarning();
  await next;
  assert.match(warnings[1], /it is back/);
  guest.arp(ip("10.0.2.2"));
  await guest.arps.next();
});

test("passt: an uplink that stalls refuses frames instead of keeping them", async (t) => {
  const path = join(folder, "stalled");
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.pause();
    accepted.resolve(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const device = new Switch();
  const uplink = await passt(device, path, () => {});
  const socket = await accepted.promise;
  t.after(() => {
    uplink.close();
    socket.destroy();
    server.close();
  });
  const rooms = Promise.withResolvers<void>();
  const port = device.plug({
    abilities: { checksum: true, tcp4: true, tcp6: true },
    deliver: () => true,
    room: () => rooms.resolve(),
  });
  const bytes = new Uint8Array(60_000);
  bytes.set([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1]);
  const large = frameOf(bytes);
  const back = new Uint8Array(60);
  back.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9]);
  socket.write(Uint8Array.of(0, 0, 0, 60));
  socket.write(back);
  let sent = 0;
  for (; sent < 10_000; sent++) {
    if (!port.input(large)) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(sent < 1000, `${sent} frames were taken`);
  socket.resume();
  await rooms.promise;
  assert.equal(port.input(large), true);
});

/** Joins a network with a guest of its own. */
async function member(t: TestContext, name: string, mac: number, vlan?: number) {
  const device = new Switch();
  const segment = await Segment.join(device, name, folder);
  t.after(() => segment.close());
  const guest = new GuestStack(device, mac, `10.62.0.${mac % 256}`, undefined, vlan);
  return { device, segment, guest };
}

test("Segment: guests of several switches see each other, and the switch's place is taken when it ends", async (t) => {
  const first = await member(t, "lab", 0x0200_0000_0001);
  const second = await member(t, "lab", 0x0200_0000_0002);
  const third = await member(t, "lab", 0x0200_0000_0003);
  assert.deepEqual(
    [first, second, third].map(({ segment }) => segment.isSwitch),
    [true, false, false],
  );
  second.guest.arp(ip("10.62.0.3"));
  assert.equal((await third.guest.arps.next()).senderMac, second.guest.mac);
  assert.equal((await first.guest.arps.next()).senderMac, second.guest.mac);
  first.segment.close();
  while (!second.segment.isSwitch && !third.segment.isSwitch) await new Promise((resolve) => setTimeout(resolve, 10));
  let heard = false;
  void second.guest.arps.next().then(() => {
    heard = true;
  });
  while (!heard) {
    third.guest.arp(ip("10.62.0.2"));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

test("Segment: networks of other names and other VLANs are apart", async (t) => {
  const one = await member(t, "one", 0x0200_0000_0011, 7);
  const same = await member(t, "one", 0x0200_0000_0012, 7);
  const other = await member(t, "one", 0x0200_0000_0013, 8);
  const elsewhere = await member(t, "two", 0x0200_0000_0014, 7);
  one.guest.arp(ip("10.62.0.99"));
  assert.equal((await same.guest.arps.next()).senderMac, one.guest.mac);
  same.guest.arp(ip("10.62.0.99"));
  assert.equal((await one.guest.arps.next()).senderMac, same.guest.mac);
  assert.deepEqual([other.guest.arps.size, elsewhere.guest.arps.size], [0, 0]);
});

test("Segment: one comes after many in a moment, and there is one switch", async (t) => {
  const all = await Promise.all(Array.from({ length: 8 }, (_, i) => member(t, "crowd", 0x0200_0000_0020 + i)));
  assert.equal(all.filter(({ segment }) => segment.isSwitch).length, 1);
});

test("tap: says what is wrong with a device that cannot be opened", async () => {
  await assert.rejects(
    tap(new Switch(), join(folder, "missing"), () => {}),
    { code: "uplink-missing" },
  );
});

test("Capture: writes a file that others can read, and says when it cannot", async () => {
  const path = join(folder, "frames.pcap");
  const capture = await Capture.open(path, () => {});
  capture.take(frameOf(Uint8Array.from({ length: 60 }, (_, i) => i)));
  await capture.close();
  const file = await readFile(path);
  assert.equal(file.readUInt32LE(0), 0xa1b2_3c4d);
  assert.deepEqual([file.readUInt32LE(20), file.length], [1, 24 + 16 + 60]);
  assert.deepEqual([file.readUInt32LE(32), file.readUInt32LE(36), file[40 + 59]], [60, 60, 59]);
  assert.ok(Math.abs(file.readUInt32LE(24) - Date.now() / 1000) < 60);
  await assert.rejects(
    Capture.open(join(folder, "no", "such"), () => {}),
    { code: "capture-failed" },
  );
});
