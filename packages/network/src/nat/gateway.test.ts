import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { test } from "node:test";
import { natFixture, serve } from "../testing/nat-fixture-node.ts";
import { formatIp, ip } from "../wire/address.ts";
import { Protocol } from "../wire/ip.ts";
import { encodeUdp } from "../wire/udp.ts";
import { Icmp, icmpError } from "./icmp.ts";
import { publish } from "./publish-node.ts";

const GATEWAY = ip("10.0.2.2");
const DNS = ip("10.0.2.3");
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** A DHCP message: option 53 and others, as numbers. */
function dhcp(mac: number, options: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(300);
  const view = new DataView(bytes.buffer);
  bytes.set([1, 1, 6, 0, 1, 2, 3, 4]);
  view.setUint16(28, Math.floor(mac / 2 ** 32));
  view.setUint32(30, mac % 2 ** 32);
  view.setUint32(236, 0x6382_5363);
  bytes.set([...options, 255], 240);
  return bytes;
}

/** A DNS query for addresses of a name. */
function query(name: string, type = 1, id = 7): Uint8Array<ArrayBuffer> {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

test("gateway: answers ARP for itself and the name server, and for nobody else", async (t) => {
  const { guest } = natFixture(t);
  const first = await guest.arps.next();
  assert.deepEqual([formatIp(first.senderIp), first.senderMac], ["10.0.2.2", 0x02_62_6b_00_00_02]);
  guest.arp(ip("10.0.2.99"));
  guest.arp(DNS);
  assert.equal(formatIp((await guest.arps.next()).senderIp), "10.0.2.3");
});

test("gateway: gives an address, its router and its name server by DHCP", async (t) => {
  const { guest, gateway } = natFixture(t);
  guest.ip4 = ip("0.0.0.0");
  const send = (options: readonly number[]) =>
    guest.packet(ip("255.255.255.255"), Protocol.udp, encodeUdp(68, 67, dhcp(guest.mac, options)), {
      mac: 0xffff_ffff_ffff,
    });
  send([53, 1, 1]);
  const offer = (await guest.datagrams.next()).payload;
  assert.deepEqual([...offer.subarray(16, 20)], [10, 0, 2, 15]);
  send([53, 1, 3, 50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 2]);
  const { payload, sourcePort, destinationPort } = await guest.datagrams.next();
  assert.deepEqual([sourcePort, destinationPort], [67, 68]);
  const options = Buffer.from(payload.subarray(240)).toString("hex");
  for (const part of ["350105", "0104ffffff00", "03040a000202", "06040a000203", "1a0205dc"]) {
    assert.match(options, new RegExp(part));
  }
  assert.equal(formatIp(gateway.publishedGuest?.address ?? assert.fail()), "10.0.2.15");
  send([53, 1, 3, 50, 4, 10, 0, 2, 77]);
  assert.deepEqual([...(await guest.datagrams.next()).payload.subarray(242, 243)], [6], "not somebody else's");
});

test("gateway: a flood of DHCP and ARP is bounded, and others still get an address", async (t) => {
  const { gateway } = natFixture(t);
  let now = 0;
  for (let i = 0; i < 5000; i++) gateway.dhcp.answer(dhcp(0x0200_0000_0000 + i, [53, 1, 1]), now++);
  const reply = gateway.dhcp.answer(dhcp(0x0600_0000_0001, [53, 1, 1]), now + 1);
  assert.ok(reply !== undefined);
  assert.equal(gateway.dhcp.leases.length, 0);
});

test("gateway: answers echo requests itself, whole and in fragments", async (t) => {
  const { guest } = natFixture(t);
  guest.ping(
    GATEWAY,
    Uint8Array.from({ length: 56 }, (_, i) => i),
  );
  const reply = await guest.icmp.next();
  assert.deepEqual([reply.payload[0], reply.payload[8 + 55]], [0, 55]);
  guest.ping(ip("fd62:756c:6b68:1::2"));
  assert.equal((await guest.icmp.next()).payload[0], 129);
  guest.ping(GATEWAY, new Uint8Array(3000));
  const pieces = [await guest.icmp.next(), await guest.icmp.next(), await guest.icmp.next()];
  assert.deepEqual(
    pieces.map(({ fragment, payload }) => [fragment?.offset, fragment?.more, payload.length]),
    [
      [0, true, 1480],
      [1480, true, 1480],
      [2960, false, 48],
    ],
  );
});

test("gateway: asks the host for echoes from outside, if the policy lets it", async (t) => {
  const asked: string[] = [];
  const host = {
    connect: () => assert.fail(),
    socket: () => undefined,
    resolve: async () => undefined,
    echo: async (address: Uint8Array) => {
      asked.push(formatIp(address));
      return true;
    },
  };
  const { guest } = natFixture(t, { host, rules: ["-9.9.9.9"] });
  guest.ping(ip("8.8.8.8"));
  assert.equal(formatIp((await guest.icmp.next()).source), "8.8.8.8");
  guest.ping(ip("9.9.9.9"));
  const refused = await guest.icmp.next();
  assert.deepEqual([...refused.payload.subarray(0, 2)], [3, 13]);
  guest.ping(ip("8.8.8.8"), new Uint8Array(8), 1);
  assert.deepEqual([...(await guest.icmp.next()).payload.subarray(0, 2)], [11, 0]);
  assert.deepEqual(asked, ["8.8.8.8"]);
});

test("gateway: tells a guest when a host cannot be reached", async (t) => {
  const host = {
    connect: (_address: unknown, _port: unknown, events: { failed(why: "unreachable"): void }) => {
      queueMicrotask(() => events.failed("unreachable"));
      return { pendingBytes: 0, write() {}, end() {}, reset() {}, pause() {}, resume() {} };
    },
    socket: () => undefined,
    resolve: async () => undefined,
    echo: async () => false,
  };
  const { guest } = natFixture(t, { host });
  guest.connect(ip("192.0.2.1"), 80);
  const { payload } = await guest.icmp.next();
  assert.deepEqual([...payload.subarray(0, 2)], [3, 1]);
  assert.deepEqual(icmpError(Icmp.hostUnreachable, new Uint8Array(60), 4).length, 36);
});

test("gateway: neighbour and router discovery of IPv6", async (t) => {
  const { guest } = natFixture(t);
  const group = ip("ff02::1:ff00:2");
  const solicitation = new Uint8Array(24);
  solicitation[0] = 135;
  solicitation.set(ip("fd62:756c:6b68:1::2"), 8);
  guest.packet(group, Protocol.icmp6, solicitation, { hops: 255, mac: 0x3333_ff00_0002 });
  const advertisement = await guest.icmp.next();
  assert.equal(advertisement.payload[0], 136);
  assert.equal(Buffer.from(advertisement.payload.subarray(26, 32)).toString("hex"), "02626b000002");
  guest.packet(group, Protocol.icmp6, solicitation, { hops: 64, mac: 0x3333_ff00_0002 });
  const router = new Uint8Array(8);
  router[0] = 133;
  guest.packet(ip("ff02::2"), Protocol.icmp6, router, { hops: 255, mac: 0x3333_0000_0002 });
  const { payload, source } = await guest.icmp.next();
  assert.equal(payload[0], 134, "what came from afar was ignored");
  assert.equal(formatIp(source), "fe80::2");
  const hex = Buffer.from(payload).toString("hex");
  assert.match(hex, /fd62756c6b6800010000000000000000/);
  assert.match(hex, /1903000000000708fd62756c6b680001/);
});

test("gateway: datagrams go out and answers come back, only from who was asked", async (t) => {
  const { guest } = natFixture(t);
  const server = createSocket("udp4");
  const stranger = createSocket("udp4");
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    stranger.close();
  });
  server.on("message", (bytes, { address, port }) => {
    stranger.send("let me in", port, address, () => server.send(`you said ${bytes}`, port, address));
  });
  guest.udp(GATEWAY, server.address().port, "hello");
  const answer = await guest.datagrams.next();
  assert.deepEqual([text(answer.payload), formatIp(answer.source)], ["you said hello", "10.0.2.2"]);
  assert.equal(guest.datagrams.size, 0);
  const large = new Uint8Array(4000).fill(97);
  guest.udp(GATEWAY, server.address().port, large.subarray(0, 1400));
  assert.equal((await guest.datagrams.next()).payload.length, 1409);
});

test("gateway: datagrams that the policy refuses are answered with an error", async (t) => {
  const { guest } = natFixture(t, { rules: [] });
  guest.udp(GATEWAY, 53, "x");
  assert.deepEqual([...(await guest.icmp.next()).payload.subarray(0, 2)], [3, 3]);
});

test("gateway: forwards queries as the policy lets it, and names then decide on addresses", async (t) => {
  const asked: string[] = [];
  const host = {
    connect: (address: Uint8Array) => {
      asked.push(formatIp(address));
      return { pendingBytes: 0, write() {}, end() {}, reset() {}, pause() {}, resume() {} };
    },
    socket: () => undefined,
    // Answers every query with 192.0.2.7.
    resolve: async (message: Uint8Array) => {
      const answer = new Uint8Array(message.length + 16);
      answer.set(message);
      answer.set([0x81, 0x80, 0, 1, 0, 1], 2);
      answer.set([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7], message.length);
      return answer;
    },
    echo: async () => false,
  };
  const { guest } = natFixture(t, { host, rules: ["+good.example", "-all"] });
  const before = guest.connect(ip("192.0.2.7"), 80);
  await before.until(({ wasReset }) => wasReset);
  guest.udp(DNS, 53, query("evil.example"));
  assert.equal((await guest.datagrams.next()).payload[3] & 15, 5);
  guest.udp(DNS, 53, query("good.example"));
  const answer = await guest.datagrams.next();
  assert.deepEqual([...answer.payload.subarray(-4)], [192, 0, 2, 7]);
  guest.connect(ip("192.0.2.7"), 80, 31_000);
  assert.deepEqual(asked, ["192.0.2.7"]);
  const tcp = guest.connect(DNS, 53, 32_000);
  const bytes = query("good.example", 1, 9);
  tcp.send(Uint8Array.from([0, bytes.length, ...bytes]));
  await tcp.until(({ receivedBytes }) => receivedBytes === 2 + bytes.length + 16);
  tcp.end();
  await tcp.until(({ peerEnded }) => peerEnded);
});

test("gateway: an answer that is none becomes a failure", async (t) => {
  const host = {
    connect: () => assert.fail(),
    socket: () => undefined,
    resolve: async () => new Uint8Array(20),
    echo: async () => false,
  };
  const { guest } = natFixture(t, { host });
  guest.udp(DNS, 53, query("a.example"));
  assert.equal((await guest.datagrams.next()).payload[3] & 15, 2);
});

test("gateway: a private network has addresses and no way out", async (t) => {
  const { guest } = natFixture(t, { host: undefined });
  const connection = guest.connect(ip("192.0.2.1"), 80);
  await connection.until(({ wasReset }) => wasReset);
  guest.udp(ip("192.0.2.1"), 80, "x");
  assert.equal((await guest.icmp.next()).payload[0], 3);
  guest.ping(GATEWAY);
  assert.equal((await guest.icmp.next()).payload[0], 0);
});

test("publish: the host's clients reach a port of the guest, with TCP", async (t) => {
  const { gateway, guest } = natFixture(t);
  const published = await publish(gateway, { protocol: "tcp", address: "127.0.0.1", hostPort: 0, guestPort: 80 });
  t.after(() => published.close());
  guest.listening.add(80);
  const client = connect(published.hostPort, "127.0.0.1");
  const server = await guest.accepted.next();
  server.send("welcome");
  const [first] = await new Promise<Buffer[]>((resolve) => client.once("data", (bytes) => resolve([bytes as Buffer])));
  assert.equal(first.toString(), "welcome");
  client.end("thanks");
  await server.until(({ peerEnded }) => peerEnded);
  assert.equal(server.text, "thanks");
  server.end();
  await new Promise((resolve) => client.once("close", resolve));
});

test("publish: a guest that does not listen resets the client, and so does one that is not there", async (t) => {
  for (const there of [true, false]) {
    const { gateway, guest } = natFixture(t, { knows: there });
    const published = await publish(gateway, { protocol: "tcp", address: "127.0.0.1", hostPort: 0, guestPort: 80 });
    t.after(() => published.close());
    const client = connect(published.hostPort, "127.0.0.1");
    if (there) {
      const syn = await guest.strays.next();
      const { sourcePort, sequence } = syn;
      const header = { sourcePort: 80, destinationPort: sourcePort, sequence: 0, flags: 0x14, window: 0 };
      guest.segment(GATEWAY, { ...header, acknowledgement: (sequence + 1) >>> 0 }, new Uint8Array(0));
    }
    await new Promise((resolve) => client.on("error", () => {}).once("close", resolve));
  }
});

test("publish: asks for a guest that has its address from before and has said nothing", async (t) => {
  const { gateway, guest } = natFixture(t, { knows: false });
  const published = await publish(gateway, { protocol: "tcp", address: "127.0.0.1", hostPort: 0, guestPort: 80 });
  t.after(() => published.close());
  guest.listening.add(80);
  const client = connect(published.hostPort, "127.0.0.1");
  t.after(() => client.destroy());
  assert.equal(formatIp((await guest.arps.next()).targetIp), "10.0.2.15");
  // A request tells the gateway as much as an answer does.
  guest.arp(GATEWAY);
  const server = await guest.accepted.next();
  client.write("found");
  await server.until(({ text }) => text === "found");
});

test("publish: the host's clients reach a port of the guest, with UDP", async (t) => {
  const { gateway, guest } = natFixture(t);
  const published = await publish(gateway, { protocol: "udp", address: "127.0.0.1", hostPort: 0, guestPort: 53 });
  const client = createSocket("udp4");
  t.after(() => {
    published.close();
    client.close();
  });
  client.send("question", published.hostPort, "127.0.0.1");
  const datagram = await guest.datagrams.next();
  assert.deepEqual([text(datagram.payload), datagram.destinationPort], ["question", 53]);
  const answered = new Promise<Buffer>((resolve) => client.once("message", resolve));
  guest.udp(GATEWAY, datagram.sourcePort, "answer", 53);
  assert.equal((await answered).toString(), "answer");
});

test("publish: a port that is in use is an error of its own", async (t) => {
  const { gateway } = natFixture(t);
  const taken = await serve(t, () => {});
  const port = { address: "127.0.0.1", hostPort: taken, guestPort: 80 } as const;
  await assert.rejects(publish(gateway, { ...port, protocol: "tcp" }), {
    code: "port-in-use",
    message: `publish 127.0.0.1:${taken}/tcp: the port is already in use; choose another one`,
  });
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  t.after(() => socket.close());
  const udp = { ...port, hostPort: socket.address().port, protocol: "udp" } as const;
  await assert.rejects(publish(gateway, udp), { code: "port-in-use" });
  await assert.rejects(publish(gateway, { ...port, address: "203.0.113.7", protocol: "tcp" }), {
    code: "address-unavailable",
  });
});
