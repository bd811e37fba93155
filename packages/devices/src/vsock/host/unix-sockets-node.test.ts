import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { link, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  encodeVsockHeader,
  Operation,
  parseVsockHeader,
  resetOf,
  Shutdown,
  STREAM,
  VSOCK_HEADER_BYTES,
  type VsockHeader,
} from "../packet.ts";
import { openVsock, type VsockSockets } from "./unix-sockets-node.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-vsock-"));
});
after(() => rm(folder, { recursive: true }));

let count = 0;
const freshPath = (): string => join(folder, `v${count++}.sock`);
const ECHO = 52;

/** A guest with an echo service on port 52, which takes and gives as its credit allows, and reads at most so many bytes at once. */
class EchoGuest {
  readonly #sockets: VsockSockets;
  readonly seen: VsockHeader[] = [];

  constructor(sockets: VsockSockets) {
    this.#sockets = sockets;
    sockets.host.attach({ send: (header, parts) => this.#take(header, parts), flush: () => {} });
  }

  give(
    to: VsockHeader,
    operation: number,
    data: Uint8Array = new Uint8Array(0),
    more: Partial<VsockHeader> = {},
  ): void {
    const header = { ...resetOf(to), operation, length: data.length, buffer: 2 ** 20, ...more };
    const packet = new Uint8Array(VSOCK_HEADER_BYTES + data.length);
    packet.set(encodeVsockHeader(header));
    packet.set(data, VSOCK_HEADER_BYTES);
    setImmediate(() => this.#sockets.host.input(packet));
  }

  #forwarded = 0;

  #take(bytes: Uint8Array, parts: readonly Uint8Array[]): boolean {
    const header = parseVsockHeader(bytes);
    this.seen.push(header);
    const data = Buffer.concat(parts);
    this.#forwarded = (this.#forwarded + data.length) >>> 0;
    const { operation } = header;
    if (operation === Operation.request) {
      this.#forwarded = 0;
      this.give(header, header.destinationPort === ECHO ? Operation.response : Operation.reset);
    } else if (operation === Operation.data) this.give(header, Operation.data, data, { forwarded: this.#forwarded });
    else if (operation === Operation.shutdown)
      this.give(header, Operation.shutdown, undefined, { flags: Shutdown.both });
    return true;
  }
}

async function echoing(): Promise<{ path: string; sockets: VsockSockets; guest: EchoGuest }> {
  const path = freshPath();
  const sockets = await openVsock(path, 3);
  return { path, sockets, guest: new EchoGuest(sockets) };
}

/** Everything that comes on a socket, to its end. */
async function heard(socket: Socket): Promise<string> {
  let text = "";
  for await (const bytes of socket) text += bytes;
  return text;
}

test("openVsock: CONNECT joins a program to the guest's port, with what it has written already", async () => {
  const { path, sockets, guest } = await echoing();
  const whole = connect(path);
  whole.end(`CONNECT ${ECHO}\nhello`);
  assert.match(await heard(whole), /^OK 10737418\d\d\nhello$/);
  const slow = connect(path);
  for (const letter of `CONNECT ${ECHO}`) slow.write(letter);
  slow.write("\r\n");
  assert.match(String(await once(slow, "data")), /^OK \d+\n$/);
  slow.end("bye");
  assert.equal(await heard(slow), "bye");
  assert.ok(guest.seen.every(({ type, destinationCid }) => type === STREAM && destinationCid === 3));
  await sockets.close();
  assert.equal(existsSync(path), false);
});

test("openVsock: closes programs that ask for no port, for one that nobody serves, or for nothing", async () => {
  const { path, sockets } = await echoing();
  for (const greeting of [
    "CONNECT 53\n",
    "CONNECT\n",
    "connect 52\n",
    "CONNECT 4294967296\n",
    "CONNECT -1\n",
    "x".repeat(40),
  ]) {
    const socket = connect(path);
    socket.write(greeting);
    assert.equal(await heard(socket), "", greeting);
  }
  const silent = connect(path);
  silent.end();
  assert.equal(await heard(silent), "");
  await sockets.close();
});

test("openVsock: a guest's call reaches the program that listens on PATH_PORT", async () => {
  const { path, sockets, guest } = await echoing();
  const server = createServer((socket) => socket.end("welcome")).listen(`${path}_80`);
  await once(server, "listening");
  const call = { ...resetOf({ ...guestPort(1000), destinationPort: 80 }), type: STREAM };
  guest.give(call, Operation.request);
  const answers = async (wanted: number): Promise<void> => {
    while (!guest.seen.some(({ operation }) => operation === wanted)) await new Promise((done) => setImmediate(done));
  };
  await answers(Operation.response);
  await answers(Operation.shutdown);
  assert.ok(guest.seen.some(({ operation, length }) => operation === Operation.data && length === 7));
  guest.give({ ...call, sourcePort: 81 }, Operation.request);
  await answers(Operation.reset);
  server.close();
  await sockets.close();
});

const guestPort = (sourcePort: number): VsockHeader => ({
  sourceCid: 3,
  destinationCid: 2,
  sourcePort,
  destinationPort: 0,
  length: 0,
  type: STREAM,
  operation: 0,
  flags: 0,
  buffer: 0,
  forwarded: 0,
});

test("openVsock: 200 programs at once, each with its own bytes", async () => {
  const { path, sockets } = await echoing();
  const texts = Array.from({ length: 200 }, (_, i) => `${i} `.repeat(1000));
  const answers = await Promise.all(
    texts.map((text) => {
      const socket = connect(path);
      socket.end(`CONNECT ${ECHO}\n${text}`);
      return heard(socket);
    }),
  );
  for (const [i, answer] of answers.entries()) assert.equal(answer.slice(answer.indexOf("\n") + 1), texts[i]);
  await sockets.close();
});

test("openVsock: takes the place of a socket that was left behind, and of nothing else", async () => {
  const path = freshPath();
  const first = await openVsock(path, 3);
  await assert.rejects(openVsock(path, 3), { code: "port-in-use" });
  await first.close();
  // The file of a socket whose program was killed: a second name of one that has gone.
  const left = freshPath();
  const gone = await openVsock(path, 3);
  await link(path, left);
  await gone.close();
  await (await openVsock(left, 3)).close();
  const file = freshPath();
  await writeFile(file, "precious");
  await assert.rejects(openVsock(file, 3), { code: "address-unavailable", message: /no socket/ });
  await assert.rejects(openVsock(join(folder, "missing", "v.sock"), 3), { code: "port-forbidden" });
  await assert.rejects(openVsock(join(folder, "x".repeat(100)), 3), { code: "address-unavailable" });
});
