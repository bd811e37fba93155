import assert from "node:assert/strict";
import { test } from "node:test";
import { frameBytes, frameOf, noAbilities, noOffload, Segmentation } from "@bulkhead/network";
import { fuzzDevice } from "../testing/fuzz-device-node.ts";
import { GuestDriver } from "../testing/guest-driver.ts";
import { MemoryNetBackend } from "../testing/memory-net-backend.ts";
import { type Random, seededRandom } from "../testing/random.ts";
import { NetFeature } from "./config.ts";
import { Net } from "./device.ts";
import { encodeHeader, HEADER_BYTES, parseHeader } from "./header.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const plain = new Uint8Array(HEADER_BYTES);

/** A frame to the device, whose payload counts up from `start`. */
const frame = (length: number, start = 0): Uint8Array => {
  const bytes = Uint8Array.from({ length }, (_, i) => start + i);
  bytes.set(MAC);
  return bytes;
};

function machine(without = 0n, capacity?: number) {
  const backend = new MemoryNetBackend(capacity);
  const device = new Net(backend, { mac: MAC, mtu: 9000 });
  const driver = new GuestDriver(device);
  const [receive, transmit, control] = driver.start(3, driver.offered() & ~without, 16);
  const lend = (...lengths: number[]): number[] => {
    const addresses = lengths.flatMap((length) => driver.add(receive, [length]));
    driver.notify(receive);
    return addresses;
  };
  const send = (...buffers: Uint8Array[]): void => {
    driver.add(transmit, buffers);
    driver.notify(transmit);
  };
  const command = (...bytes: number[]): number => {
    const [, answer] = driver.add(control, [Uint8Array.from(bytes), 1]);
    driver.bytes(answer, 1)[0] = 0xff;
    driver.notify(control);
    return driver.bytes(answer, 1)[0];
  };
  const bytesOf = (at: number, length: number): Uint8Array => driver.bytes(at, length).slice();
  return { backend, device, driver, receive, transmit, control, lend, send, command, bytesOf };
}

const header = (...fields: [number, number, number, number, number, number]): Uint8Array => {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, fields[0]);
  view.setUint8(1, fields[1]);
  for (const [i, field] of fields.slice(2).entries()) view.setUint16(2 + i * 2, field, true);
  return bytes;
};

test("net: the configuration space holds address, link and MTU", () => {
  const { driver } = machine();
  const config = Array.from({ length: 12 }, (_, i) => driver.device.read(0x100 + i, 1));
  assert.deepEqual(config, [...MAC, 1, 0, 1, 0, 0x28, 0x23]);
});

test("net: takes a frame out of the guest, header and data in any split", () => {
  const { backend, driver, transmit, send } = machine();
  const bytes = frame(100);
  send(plain, bytes.slice(0, 10), bytes.slice(10));
  send(Uint8Array.from([...plain, ...bytes]));
  assert.deepEqual(backend.sent.map(frameBytes), [bytes, bytes]);
  assert.deepEqual(
    driver.used(transmit).map(({ length }) => length),
    [0, 0],
  );
  assert.ok(backend.flushes > 0);
});

test("net: hands over what the guest leaves undone, and drops what makes no sense", () => {
  const { backend, send } = machine();
  send(header(1, Segmentation.tcp4, 54, 1448, 34, 16), frame(4000));
  const offload = { checksumStart: 34, checksumOffset: 16, segmentation: 1, segmentBytes: 1448, headerBytes: 54 };
  assert.deepEqual(backend.sent[0].offload, offload);
  send(header(1, 0, 0, 0, 34, 6), frame(60));
  assert.deepEqual(backend.sent[1].offload, { ...noOffload, checksumStart: 34, checksumOffset: 6 });
  send(header(1, 0, 0, 0, 59, 0), frame(60));
  send(header(0, 1, 54, 1448, 0, 0), frame(4000));
  send(header(1, 3, 54, 1448, 34, 16), frame(4000));
  send(header(1, 1, 54, 0, 34, 16), frame(4000));
  send(plain, frame(13));
  send(plain, frame(66_000));
  assert.equal(backend.sent.length, 2);
});

test("net: leaves frames with the driver while there is no room, and takes them up later", () => {
  const { backend, device, driver, transmit, send } = machine(0n, 2);
  for (let i = 0; i < 5; i++) send(plain, frame(60, i));
  assert.equal(backend.sent.length, 2);
  assert.equal(driver.used(transmit).length, 2);
  backend.sent.length = 0;
  device.work();
  assert.deepEqual(
    backend.sent.map((each) => frameBytes(each)[20]),
    [22, 23],
  );
  assert.equal(driver.used(transmit).length, 2);
});

test("net: gives a frame to the guest behind a header", () => {
  const { backend, device, driver, receive, lend, bytesOf } = machine();
  const [at] = lend(200);
  backend.incoming.push({ parts: [frame(40), frame(60).slice(40)], length: 60, offload: noOffload });
  device.work();
  assert.deepEqual(driver.used(receive), [{ head: 0, length: 72 }]);
  assert.deepEqual(bytesOf(at, 72), Uint8Array.from([...encodeHeader(noOffload, 1), ...frame(60)]));
  assert.equal(driver.level, true);
  assert.equal(backend.incoming.length, 0);
});

test("net: a large frame fills as many buffers as it needs, and waits until there are enough", () => {
  const { backend, device, driver, receive, lend, bytesOf } = machine();
  const first = lend(100, 100);
  const offload = { checksumStart: 34, checksumOffset: 16, segmentation: 1, segmentBytes: 100, headerBytes: 54 };
  backend.incoming.push(frameOf(frame(250), offload));
  device.work();
  assert.deepEqual(driver.used(receive), []);
  const more = lend(100);
  assert.deepEqual(
    driver.used(receive).map(({ length }) => length),
    [100, 100, 62],
  );
  const all = [...first, ...more].flatMap((at) => [...bytesOf(at, 100)]);
  assert.deepEqual(all.slice(0, 262), [...encodeHeader(offload, 3), ...frame(250)]);
  assert.deepEqual(parseHeader(Uint8Array.from(all.slice(0, 12)), 250), offload);
});

test("net: without mergeable buffers a frame that does not fit is lost and its buffer kept", () => {
  const { backend, device, driver, receive, lend } = machine(NetFeature.mergeableBuffers);
  lend(100);
  backend.incoming.push(frameOf(frame(250)), frameOf(frame(60)));
  device.work();
  assert.deepEqual(driver.used(receive), [{ head: 0, length: 72 }]);
});

test("net: frames are lost while no driver listens or the link is down", () => {
  const { backend, device, driver, receive, send, lend } = machine();
  lend(100);
  device.setLink(false);
  assert.equal(driver.device.read(0x106, 2), 0);
  backend.incoming.push(frameOf(frame(60)));
  device.work();
  send(plain, frame(60));
  assert.deepEqual([backend.sent.length, driver.used(receive).length, backend.incoming.length], [0, 0, 0]);
  driver.set(0x70, 0);
  backend.incoming.push(frameOf(frame(60)));
  device.work();
  assert.equal(backend.incoming.length, 0);
});

test("net: tells the backend what the guest can take, which a driver may change and a reset ends", () => {
  const { backend, device, driver, command, lend, receive } = machine();
  assert.deepEqual(backend.abilities, { checksum: true, tcp4: true, tcp6: true });
  assert.equal(command(5, 0, 2, 0, 0, 0, 0, 0, 0, 0), 0);
  assert.deepEqual(backend.abilities, { checksum: true, tcp4: false, tcp6: false });
  lend(9000);
  const offload = { checksumStart: 34, checksumOffset: 16, segmentation: 1, segmentBytes: 100, headerBytes: 54 };
  backend.incoming.push(frameOf(frame(250), offload));
  device.work();
  assert.deepEqual([driver.used(receive).length, backend.incoming.length], [0, 0]);
  assert.equal(command(5, 0, 1, 0, 0, 0, 0, 0, 0, 0), 1);
  driver.set(0x70, 0);
  assert.deepEqual(backend.abilities, noAbilities);
});

test("net: filters by the addresses that the driver asks for", () => {
  const { backend, device, driver, receive, command, lend } = machine();
  lend(...Array(12).fill(100));
  const arrives = (...destination: number[]): boolean => {
    const bytes = frame(60);
    bytes.set(destination);
    backend.incoming.push(frameOf(bytes));
    device.work();
    return driver.used(receive).length === 1;
  };
  const other = [2, 0, 0, 0, 0, 9];
  const group = [1, 0, 0x5e, 0, 0, 7];
  assert.equal(arrives(255, 255, 255, 255, 255, 255), true);
  assert.equal(arrives(...other), false);
  assert.equal(arrives(...group), true);
  assert.equal(command(1, 0, 1, 0, 0, 0, ...other, 0, 0, 0, 0), 0);
  assert.equal(arrives(...other), true);
  assert.equal(arrives(...group), false);
  assert.equal(command(0, 1, 1), 0);
  assert.equal(arrives(...group), true);
  assert.equal(command(0, 0, 1), 0);
  assert.equal(arrives(2, 0, 0, 0, 0, 8), true);
  assert.equal(command(0, 0, 0), 0);
  assert.equal(command(1, 1, 2, 0, 0, 0, 0, 7), 0);
  assert.equal(arrives(2, 0, 0, 0, 0, 7), true);
  assert.equal(arrives(...MAC), false);
});

test("net: refuses commands that it does not know or cannot read", () => {
  const { command } = machine();
  for (const wrong of [
    [],
    [9, 0],
    [0, 0],
    [0, 7, 1],
    [1, 1, 1, 2, 3, 4, 5, 6],
    [1, 1, 2],
    [1, 0, 9, 0, 0, 0, 1],
    [1, 0, 255, 255, 255, 255],
    [5, 0, 1],
  ]) {
    assert.equal(command(...wrong), 1, wrong.join());
  }
});

test("net: fails a driver that lends buffers without room", () => {
  const short = machine();
  short.send(Uint8Array.of(1, 2));
  assert.equal(short.driver.needsReset, true);
  const tiny = machine();
  tiny.lend(5);
  tiny.backend.incoming.push(frameOf(frame(60)));
  tiny.device.work();
  assert.equal(tiny.driver.needsReset, true);
});

test("restore: brings filter, link and offloads back, and waiting buffers are still there", () => {
  const from = machine();
  from.command(5, 0, 2, 0, 0, 0, 0, 0, 0, 0);
  from.command(0, 0, 1);
  from.device.setLink(false);
  const to = machine();
  to.device.restore(structuredClone(from.device.save()));
  assert.deepEqual(to.backend.abilities, { checksum: true, tcp4: false, tcp6: false });
  assert.deepEqual(to.device.save(), from.device.save());
  assert.throws(() => to.device.restore({ ...from.device.save(), version: 9 }), { code: "state-mismatch" });
  assert.throws(() => to.device.restore({ ...from.device.save(), mtu: 1500 }), { code: "state-mismatch" });
  assert.throws(() => to.device.restore(undefined), { code: "state-mismatch" });
});

test("restore: a frame that waits for buffers has taken none", () => {
  const { backend, device, driver, receive, lend } = machine();
  lend(100);
  backend.incoming.push(frameOf(frame(150)));
  device.work();
  const saved = driver.transport.save();
  driver.transport.restore(saved);
  lend(100);
  assert.deepEqual(
    driver.used(receive).map(({ head }) => head),
    [0, 1],
  );
});

test("net: survives a guest gone mad", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const backend = new MemoryNetBackend(8);
  const device = new Net(backend, { mac: MAC });
  const plausible = (r: Random): Uint8Array =>
    r.below(2) === 0
      ? Uint8Array.from([...header(r.below(2), r.pick([0, 1, 4]), 54, r.below(1500), 34, 16), ...frame(80)])
      : Uint8Array.from([r.below(6), r.below(3), ...r.bytes(20)]);
  const host = (r: Random): void => {
    if (r.below(3) === 0) backend.sent.length = 0;
    if (backend.incoming.length < 4) backend.incoming.push(frameOf(frame(14 + r.below(3000))));
    if (r.below(50) === 0) device.setLink(r.below(2) === 0);
    device.work();
    for (const { length, offload } of backend.sent) {
      assert.ok(offload.checksumStart + offload.checksumOffset + 2 <= length || offload.checksumStart === 0);
    }
  };
  fuzzDevice(device, random, { rounds: 4000, plausible, host });
});
