import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { noAbilities } from "../frame.ts";
import { natFixture, serve } from "../testing/nat-fixture-node.ts";
import { seededRandom } from "../testing/random.ts";
import { ip } from "../wire/address.ts";

const HOST = ip("10.0.2.2");
const HOST6 = ip("fd62:756c:6b68:1::2");

const pattern = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
};
const digest = (parts: readonly Uint8Array[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

test("tcp: a guest talks to a server, each side ending on its own", async (t) => {
  const { gateway, guest } = natFixture(t);
  const port = await serve(t, (socket) => {
    socket.once("data", (bytes) => socket.write(`you said ${bytes}`));
    socket.on("end", () => socket.end("; bye"));
  });
  const connection = guest.connect(HOST, port);
  await connection.until(({ open }) => open);
  connection.send("hello");
  await connection.until(({ text }) => text === "you said hello");
  connection.end();
  await connection.until(({ peerEnded }) => peerEnded);
  assert.equal(connection.text, "you said hello; bye");
  assert.equal(connection.wasReset, false);
  assert.equal(gateway.connections, 1, "it is remembered for a while");
});

test("tcp: over IPv6 too", async (t) => {
  const { guest } = natFixture(t);
  const port = await serve(t, (socket) => socket.end("six"), "::1").catch(() => undefined);
  if (port === undefined) return t.skip("this host has no IPv6");
  const connection = guest.connect(HOST6, port);
  await connection.until(({ peerEnded }) => peerEnded);
  assert.equal(connection.text, "six");
});

test("tcp: nobody listens: a reset", async (t) => {
  const { gateway, guest } = natFixture(t);
  const port = await serve(t, () => {});
  const nobody = guest.connect(HOST, port === 1 ? 2 : 1);
  await nobody.until(({ wasReset }) => wasReset);
  assert.equal(nobody.open, false);
  assert.equal(gateway.connections, 0);
});

test("tcp: what the policy refuses is reset, and the host's loopback is refused unless it is allowed", async (t) => {
  const port = await serve(t, (socket) => socket.end("secret"));
  for (const rules of [[], ["+all"], [`-host:${port}`, "+host"]]) {
    const { guest } = natFixture(t, { rules });
    const connection = guest.connect(HOST, port);
    await connection.until(({ wasReset }) => wasReset);
    const direct = guest.connect(ip("127.0.0.1"), port);
    await direct.until(({ wasReset }) => wasReset);
  }
});

test("tcp: 8 MiB to the host in large segments arrive unchanged", async (t) => {
  const { guest } = natFixture(t);
  const got: Uint8Array[] = [];
  const done = Promise.withResolvers<void>();
  const port = await serve(t, (socket) => {
    socket.on("data", (bytes) => got.push(bytes as Buffer));
    socket.on("end", () => done.resolve());
  });
  const sent = pattern(8 * 1024 * 1024);
  const connection = guest.connect(HOST, port);
  connection.segmentBytes = 60_000;
  await connection.until(({ open }) => open);
  connection.send(sent);
  connection.end();
  await done.promise;
  assert.equal(digest(got), digest([sent]));
});

for (const [name, abilities] of [
  ["in large segments", undefined],
  ["to a guest that can nothing", noAbilities],
] as const) {
  test(`tcp: 8 MiB from the host arrive unchanged ${name}`, async (t) => {
    const { guest } = natFixture(t, { abilities });
    const sent = pattern(8 * 1024 * 1024);
    const port = await serve(t, (socket) => socket.end(sent));
    const connection = guest.connect(HOST, port);
    await connection.until(({ peerEnded }) => peerEnded);
    assert.equal(digest(connection.received), digest([sent]));
    if (abilities === undefined) assert.ok(guest.largest > 30_000, `largest frame ${guest.largest}`);
    else assert.equal(guest.largest, 1514);
  });
}

test("tcp: survives the loss of every tenth frame in both directions", async (t) => {
  const random = seededRandom(t);
  const { guest } = natFixture(t);
  const sent = pattern(300_000);
  const got: Uint8Array[] = [];
  const ended = Promise.withResolvers<void>();
  const port = await serve(t, (socket) => {
    socket.on("data", (bytes) => got.push(bytes as Buffer));
    socket.on("end", () => ended.resolve());
    socket.end(sent);
  });
  guest.lose = () => random(10) === 0;
  const connection = guest.connect(HOST, port);
  const again = setInterval(() => connection.again(), 30);
  t.after(() => clearInterval(again));
  connection.send(sent);
  connection.end();
  await connection.until(({ peerEnded, allSent }) => peerEnded && allSent);
  await ended.promise;
  assert.equal(digest(connection.received), digest([sent]));
  assert.equal(digest(got), digest([sent]));
});

test("tcp: puts segments in order that arrive in none, overlap and repeat", async (t) => {
  const { guest } = natFixture(t);
  const got = Promise.withResolvers<string>();
  const port = await serve(t, (socket) => {
    let text = "";
    socket.on("data", (bytes) => (text += bytes));
    socket.on("end", () => got.resolve(text));
  });
  const connection = guest.connect(HOST, port);
  await connection.until(({ open }) => open);
  const text = (value: string) => new TextEncoder().encode(value);
  connection.wild(0x18, text("ghi"), 6);
  connection.wild(0x18, text("def"), 3);
  connection.wild(0x18, text("efghijk"), 4);
  connection.wild(0x18, text("def"), 3);
  connection.wild(0x19, text("l"), 11);
  connection.wild(0x18, text("abcd"), 0);
  assert.equal(await got.promise, "abcdefghijkl");
});

test("tcp: a guest that does not read holds the server back, and then gets everything", async (t) => {
  const { guest } = natFixture(t);
  const sent = pattern(16 * 1024 * 1024);
  let socket: Socket | undefined;
  const port = await serve(t, (accepted) => {
    socket = accepted;
    accepted.end(sent);
  });
  guest.connect(HOST, port).silent = false;
  const connection = [...guest.connections.values()][0];
  await connection.until(({ receivedBytes }) => receivedBytes > 0);
  guest.full = true;
  let before = -1;
  while (before !== socket?.bytesWritten) {
    before = socket?.bytesWritten ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok((socket?.writableLength ?? 0) > 4 * 1024 * 1024, "most is still with the server");
  guest.open();
  await connection.until(({ peerEnded }) => peerEnded);
  assert.equal(digest(connection.received), digest([sent]));
});

test("tcp: a server that does not read closes the guest's window, and opens it again", async (t) => {
  const { guest } = natFixture(t);
  const accepted = Promise.withResolvers<Socket>();
  const port = await serve(t, (socket) => {
    socket.pause();
    accepted.resolve(socket);
  });
  const sent = pattern(16 * 1024 * 1024);
  const connection = guest.connect(HOST, port);
  connection.segmentBytes = 60_000;
  connection.send(sent);
  const socket = await accepted.promise;
  await connection.until(({ peerWindow }) => peerWindow === 0);
  assert.equal(connection.allSent, false);
  const got: Uint8Array[] = [];
  socket.on("data", (bytes) => got.push(bytes as Buffer));
  socket.resume();
  connection.end();
  await once(socket, "end");
  assert.equal(digest(got), digest([sent]));
});

test("tcp: probes a window that is closed until it opens", async (t) => {
  const { guest } = natFixture(t);
  const port = await serve(t, (socket) => socket.write("a".repeat(300)));
  const connection = guest.connect(HOST, port);
  connection.window = 0;
  await connection.until(({ receivedBytes }) => receivedBytes >= 1);
  connection.window = 0xffff;
  connection.acknowledge();
  await connection.until(({ receivedBytes }) => receivedBytes === 300);
});

test("tcp: a reset passes through in both directions", async (t) => {
  const { gateway, guest } = natFixture(t);
  const sockets: Socket[] = [];
  const port = await serve(t, (socket) => {
    sockets.push(socket);
    socket.write("x");
  });
  const first = guest.connect(HOST, port);
  await first.until(({ receivedBytes }) => receivedBytes === 1);
  sockets[0].resetAndDestroy();
  await first.until(({ wasReset }) => wasReset);
  const second = guest.connect(HOST, port, 31_000);
  await second.until(({ receivedBytes }) => receivedBytes === 1);
  const closed = new Promise((resolve) => sockets[1].once("close", resolve));
  second.reset();
  await closed;
  assert.equal(gateway.connections, 0);
});

test("tcp: a blind reset does nothing, nor does data of nobody's", async (t) => {
  const { guest } = natFixture(t);
  const port = await serve(t, (socket) => socket.pipe(socket));
  const connection = guest.connect(HOST, port);
  await connection.until(({ open }) => open);
  connection.wild(0x04, new Uint8Array(0), 1000);
  connection.wild(0x04, new Uint8Array(0), 2 ** 30);
  connection.wild(0x02, new Uint8Array(0), 5);
  connection.wild(0x10, new Uint8Array(0), 0, 1_000_000);
  connection.send("still here");
  await connection.until(({ text }) => text === "still here");
  guest.segment(
    HOST,
    { sourcePort: 9, destinationPort: port, sequence: 5, acknowledgement: 77, flags: 0x10, window: 9 },
    new Uint8Array(3),
  );
  const stray = await guest.strays.next();
  assert.deepEqual([stray.flags, stray.sequence], [4, 77]);
});

test("tcp: 1,000 connections at once", async (t) => {
  const { gateway, guest } = natFixture(t);
  const port = await serve(t, (socket) => socket.on("data", (bytes) => socket.end(bytes)));
  const connections = Array.from({ length: 1000 }, (_, i) => guest.connect(HOST, port, 2000 + i));
  await Promise.all(connections.map((each) => each.until(({ open }) => open)));
  assert.equal(gateway.connections, 1000);
  for (const [i, each] of connections.entries()) each.send(`number ${i}`);
  await Promise.all(connections.map((each) => each.until(({ peerEnded }) => peerEnded)));
  for (const [i, each] of connections.entries()) assert.equal(each.text, `number ${i}`);
  for (const each of connections) each.end();
});

test("tcp: more connections than there may be are refused", async (t) => {
  const { gateway, guest } = natFixture(t, {
    host: {
      connect: () => ({ pendingBytes: 0, write() {}, end() {}, reset() {}, pause() {}, resume() {} }),
      socket: () => undefined,
      resolve: async () => undefined,
      echo: async () => false,
    },
  });
  for (let i = 0; i < 5000; i++) guest.connect(HOST, 80, 1000 + i);
  await new Promise((resolve) => setImmediate(resolve));
  const refused = [...guest.connections.values()].filter(({ wasReset }) => wasReset).length;
  assert.deepEqual([gateway.connections, refused], [4096, 904]);
});
