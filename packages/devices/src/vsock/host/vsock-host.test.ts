import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../testing/random.ts";
import { GUEST_CID, TestGuest, TestStream } from "../../testing/vsock-peer.ts";
import { Operation, Shutdown } from "../packet.ts";
import { CONNECTION_BYTES } from "./connection.ts";
import { MOST_CONNECTIONS } from "./vsock-host.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

test("VsockHost: joins a guest's call to the program that listens, each half ending by itself", async () => {
  const guest = new TestGuest();
  guest.give(5000, 80, Operation.request);
  assert.deepEqual(await guest.packets(), []);
  const [{ port, stream }] = guest.programs.dialled;
  assert.equal(port, 80);
  stream.events.connected();
  const [response] = await guest.packets();
  const { sourceCid, destinationCid, sourcePort, destinationPort, operation, buffer } = response;
  assert.deepEqual([sourceCid, destinationCid, sourcePort, destinationPort], [2, GUEST_CID, 80, 5000]);
  assert.deepEqual([operation, buffer], [Operation.response, CONNECTION_BYTES]);
  guest.give(5000, 80, Operation.data, { data: bytes("question") });
  guest.give(5000, 80, Operation.shutdown, { flags: Shutdown.send });
  assert.equal(stream.text, "question");
  assert.equal(stream.ended, true);
  stream.events.data(bytes("answer"));
  const [answer] = await guest.packets();
  assert.equal(new TextDecoder().decode(answer.data), "answer");
  assert.equal(answer.forwarded, 8);
  stream.events.ended();
  const [shutdown] = await guest.packets();
  assert.deepEqual([shutdown.operation, shutdown.flags], [Operation.shutdown, Shutdown.both]);
  guest.give(5000, 80, Operation.reset);
  assert.equal(guest.host.connections, 0);
  assert.deepEqual(await guest.packets(), []);
});

test("VsockHost: resets a call that nobody takes", async () => {
  const guest = new TestGuest();
  guest.give(5000, 80, Operation.request);
  guest.programs.dialled[0].stream.events.failed("refused");
  assert.deepEqual(await guest.operations(), ["reset"]);
  assert.equal(guest.host.connections, 0);
});

test("VsockHost.call: tells the program its port when the guest has answered, and reads it only then", async () => {
  const guest = new TestGuest();
  const stream = new TestStream();
  stream.paused = true;
  const events = guest.host.call(52, stream);
  const [request] = await guest.packets();
  assert.equal(request.operation, Operation.request);
  assert.equal(request.destinationPort, 52);
  assert.equal(request.sourcePort, 2 ** 30);
  assert.equal(stream.text, "");
  guest.give(52, 2 ** 30, Operation.response);
  assert.equal(stream.text, `OK ${2 ** 30}\n`);
  assert.equal(stream.paused, false);
  events?.data(bytes("x"));
  assert.deepEqual(await guest.operations(), ["data"]);
  assert.notEqual(guest.host.call(52, new TestStream()), undefined);
  assert.equal((await guest.packets())[0].sourcePort, 2 ** 30 + 1);
});

test("VsockHost.call: a guest that refuses, answers nonsense or does not answer", async () => {
  for (const operation of [Operation.reset, Operation.data, Operation.request, undefined]) {
    const guest = new TestGuest();
    const stream = new TestStream();
    guest.host.call(52, stream);
    await guest.packets();
    if (operation === undefined) guest.clock.advance(10_000);
    else guest.give(52, 2 ** 30, operation);
    assert.equal(stream.text, "");
    assert.equal(stream.wasReset, true);
    assert.equal(guest.host.connections, 0);
    assert.deepEqual(await guest.operations(), operation === Operation.reset ? [] : ["reset"]);
  }
});

test("VsockHost: sends no more than the guest has room for, asks once, and stops reading the program", async () => {
  const guest = new TestGuest();
  const stream = await guest.connect(5000, 80, 100);
  stream.events.data(new Uint8Array(64 * 1024).fill(1));
  stream.events.data(new Uint8Array(64 * 1024).fill(2));
  assert.equal(stream.paused, true);
  const [first, second, ...more] = await guest.packets();
  assert.equal(first.data.length, 100);
  assert.equal(second.operation, Operation.creditRequest);
  assert.deepEqual(more, []);
  guest.give(5000, 80, Operation.creditUpdate, { buffer: 100, forwarded: 60 });
  const next = await guest.packets();
  assert.deepEqual([next[0].data.length, next[1].operation], [60, Operation.creditRequest]);
  // Nonsense that would leave less than no room.
  guest.give(5000, 80, Operation.creditUpdate, { buffer: 10, forwarded: 2 ** 31 });
  assert.deepEqual(await guest.packets(), []);
  guest.give(5000, 80, Operation.creditUpdate, { buffer: 2 ** 20, forwarded: 160 });
  const rest = await guest.packets();
  assert.equal(
    rest.reduce((sum, { data }) => sum + data.length, 0),
    128 * 1024 - 160,
  );
  assert.ok(rest.every(({ data }) => data.length <= 65536));
  assert.equal(stream.paused, false);
});

test("VsockHost: tells the guest of room as the program takes its data, and resets one that sends more", async () => {
  const guest = new TestGuest();
  const stream = await guest.connect(5000, 80);
  stream.slow = true;
  const half = new Uint8Array(CONNECTION_BYTES / 2);
  guest.give(5000, 80, Operation.data, { data: half });
  guest.give(5000, 80, Operation.data, { data: half });
  assert.deepEqual(await guest.packets(), []);
  stream.drain(10);
  assert.deepEqual(await guest.packets(), []);
  stream.drain(half.length);
  const [update] = await guest.packets();
  assert.deepEqual([update.operation, update.forwarded], [Operation.creditUpdate, half.length + 10]);
  guest.give(5000, 80, Operation.creditRequest);
  assert.deepEqual(await guest.operations(), ["creditUpdate"]);
  guest.give(5000, 80, Operation.data, { data: new Uint8Array(half.length + 11) });
  assert.deepEqual(await guest.operations(), ["reset"]);
  assert.equal(stream.wasReset, true);
  assert.equal(guest.host.connections, 0);
});

test("VsockHost: what there is no room for is sent when there is some, in order", async () => {
  const guest = new TestGuest();
  const one = await guest.connect(5000, 80);
  const two = await guest.connect(5001, 80);
  guest.room = 1;
  one.events.data(bytes("1"));
  guest.give(9, 9, Operation.data);
  two.events.data(bytes("2"));
  one.events.ended();
  assert.deepEqual(await guest.operations(), ["reset"]);
  for (const expected of [["data"], ["data"], ["shutdown"], []]) {
    guest.room = 1;
    guest.host.hasRoom();
    assert.deepEqual(await guest.operations(), expected);
  }
});

test("VsockHost: resets packets of no connection, but no resets", async () => {
  const guest = new TestGuest();
  const one = await guest.connect(5000, 80);
  for (const operation of [Operation.response, Operation.shutdown, Operation.data, Operation.creditUpdate, 99]) {
    guest.give(5001, 80, operation);
  }
  assert.deepEqual(await guest.operations(), Array(5).fill("reset"));
  guest.give(5001, 80, Operation.reset);
  guest.give(5000, 80, Operation.reset, { type: 2 });
  assert.deepEqual(await guest.operations(), []);
  guest.give(5002, 80, Operation.request, { type: 2 });
  guest.give(5002, 80, Operation.request, { destinationCid: 1 });
  const [datagram, other] = await guest.packets();
  assert.deepEqual([datagram.type, datagram.operation], [2, Operation.reset]);
  assert.equal(other.sourceCid, 1);
  assert.equal(one.wasReset, false);
  // Not in a connection that is open.
  guest.give(5000, 80, Operation.request);
  assert.deepEqual(await guest.operations(), ["reset"]);
  assert.equal(one.wasReset, true);
});

test("VsockHost: a guest that closes is confirmed when the program has everything", async () => {
  const guest = new TestGuest();
  const stream = await guest.connect(5000, 80);
  stream.slow = true;
  guest.give(5000, 80, Operation.data, { data: bytes("last words") });
  guest.give(5000, 80, Operation.shutdown, { flags: Shutdown.both });
  assert.equal(stream.ended, true);
  assert.deepEqual(await guest.operations(), []);
  stream.drain();
  assert.deepEqual(await guest.operations(), ["reset"]);
  assert.equal(guest.host.connections, 0);
});

test("VsockHost: what a guest has sent before it resets, or starts anew, still reaches the program", async () => {
  for (const operation of [Operation.reset, Operation.none]) {
    const guest = new TestGuest();
    const stream = await guest.connect(5000, 80);
    stream.slow = true;
    guest.give(5000, 80, Operation.data, { data: bytes("last words") });
    guest.give(5000, 80, operation);
    assert.equal(stream.ended, true);
    assert.equal(stream.wasReset, false);
    assert.equal(guest.host.connections, 1);
    stream.events.data(bytes("for nobody"));
    stream.drain(4);
    stream.drain(6);
    assert.equal(stream.wasReset, true);
    assert.equal(guest.host.connections, 0);
    assert.deepEqual(await guest.operations(), []);
  }
});

test("VsockHost: what a program has sent before it goes still reaches the guest", async () => {
  const guest = new TestGuest();
  const stream = await guest.connect(5000, 80, 4);
  stream.events.data(bytes("last words"));
  stream.events.broken();
  assert.deepEqual(await guest.operations(), ["data", "creditRequest"]);
  guest.give(5000, 80, Operation.data, { data: bytes("for nobody"), buffer: 100, forwarded: 4 });
  const [data, shutdown] = await guest.packets();
  assert.equal(new TextDecoder().decode(data.data), " words");
  assert.deepEqual([shutdown.operation, shutdown.flags], [Operation.shutdown, Shutdown.both]);
  guest.clock.advance(8000);
  assert.deepEqual(await guest.operations(), ["reset"]);
  assert.equal(guest.host.connections, 0);
});

test("VsockHost: takes no more connections than it says", async () => {
  const guest = new TestGuest();
  for (let port = 0; port < MOST_CONNECTIONS; port++) await guest.connect(port, 80);
  guest.give(2 ** 31, 80, Operation.request);
  assert.deepEqual(await guest.operations(), ["reset"]);
  assert.equal(guest.host.call(1, new TestStream()), undefined);
  // Resets of a flood are bounded too.
  guest.room = 0;
  for (let port = 0; port < 5000; port++) guest.give(2 ** 31 + port, 80, Operation.data);
  await guest.packets();
  guest.room = Number.POSITIVE_INFINITY;
  guest.host.hasRoom();
  assert.equal((await guest.packets()).length, 1024);
});

test("VsockHost.close: ends all connections, but first passes on what it can", async () => {
  const guest = new TestGuest();
  const done = await guest.connect(1, 80);
  const slow = await guest.connect(2, 80);
  slow.slow = true;
  guest.give(2, 80, Operation.data, { data: bytes("x") });
  const closed = guest.host.close();
  assert.equal(done.wasReset, true);
  assert.equal(slow.wasReset, false);
  slow.drain();
  await closed;
  assert.equal(slow.wasReset, true);
  assert.equal(guest.host.connections, 0);
});

test("VsockHost: streams arrive whole whatever room and credit there is", async (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const guest = new TestGuest();
  const stream = await guest.connect(1, 80, 5000);
  stream.slow = true;
  const [up, down] = [random.bytes(300_000), random.bytes(300_000)];
  const state = { given: 0, fed: 0, got: [] as number[], hostKnows: 0, consumed: 0, told: 0 };
  guest.room = 0;
  for (
    let step = 0;
    step < 200_000 && (stream.pendingBytes > 0 || state.got.length < down.length || state.given < up.length);
    step++
  ) {
    const allowed = CONNECTION_BYTES - (state.given - state.told);
    const action = random.below(5);
    if (action === 0 && state.given < up.length && allowed > 0) {
      const data = up.slice(state.given, state.given + Math.min(allowed, 1 + random.below(20_000)));
      state.given += data.length;
      guest.give(1, 80, Operation.data, { data, buffer: 5000, forwarded: state.consumed });
    } else if (action === 1 && state.fed < down.length && !stream.paused) {
      const data = down.slice(state.fed, state.fed + 1 + random.below(30_000));
      state.fed += data.length;
      stream.events.data(data);
    } else if (action === 2) stream.drain(random.below(stream.pendingBytes + 1));
    else if (action === 3) {
      state.consumed += random.below(state.got.length - state.consumed + 1);
      guest.give(1, 80, Operation.creditUpdate, { buffer: 5000, forwarded: state.consumed });
    } else {
      guest.room = random.below(4);
      guest.host.hasRoom();
    }
    for (const packet of await guest.packets()) {
      state.told = packet.forwarded;
      state.got.push(...packet.data);
      assert.ok(state.got.length - state.consumed <= 5000, "more than the guest has room for");
      assert.notEqual(packet.operation, Operation.reset);
    }
  }
  assert.deepEqual(Buffer.from(state.got), Buffer.from(down));
  assert.deepEqual(Buffer.concat(stream.written), Buffer.from(up));
});

test("VsockHost: survives packets and programs gone mad, bounded", async (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const guest = new TestGuest();
  const ports = [1, 2, 3, 2 ** 30, 2 ** 30 + 1, 2 ** 32 - 1];
  for (let step = 0; step < 20_000; step++) {
    const action = random.below(10);
    const stream = guest.programs.dialled.length === 0 ? undefined : random.pick(guest.programs.dialled).stream;
    if (action < 6) {
      guest.give(random.pick(ports), random.pick(ports), random.below(9), {
        data: new Uint8Array(random.pick([0, 0, 1, 1000, 65536])),
        flags: random.below(5),
        type: random.below(20) === 0 ? random.below(3) : 1,
        buffer: random.pick([0, 1, 65536, 2 ** 32 - 1]),
        forwarded: random.pick([0, random.below(2 ** 20), 2 ** 32 - 1]),
      });
    } else if (action === 6 && stream !== undefined) {
      const { events } = stream;
      random.pick([
        () => events.connected(),
        () => events.data(new Uint8Array(random.below(65536))),
        () => events.ended(),
        () => events.broken(),
        () => events.failed("refused"),
        () => stream.drain(),
        () => (stream.slow = !stream.slow),
      ])();
    } else if (action === 7) guest.clock.advance(random.below(2000));
    else if (action === 8) guest.host.call(random.pick(ports), Object.assign(new TestStream(), { events: undefined }));
    else {
      guest.room = random.below(10);
      guest.host.hasRoom();
    }
    await guest.packets();
    if (guest.programs.dialled.length > 64) guest.programs.dialled.splice(0, 32);
    assert.ok(guest.host.connections <= MOST_CONNECTIONS);
  }
  await guest.host.close();
  assert.equal(guest.host.connections, 0);
});
