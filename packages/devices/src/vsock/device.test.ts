import assert from "node:assert/strict";
import { test } from "node:test";
import { Register } from "../mmio-transport.ts";
import { fuzzDevice } from "../testing/fuzz-device-node.ts";
import { type DriverQueue, GuestDriver } from "../testing/guest-driver.ts";
import { seededRandom } from "../testing/random.ts";
import type { VsockBackend } from "./backend.ts";
import { Vsock } from "./device.ts";
import { encodeVsockHeader, Operation, parseVsockHeader, VSOCK_HEADER_BYTES, type VsockHeader } from "./packet.ts";

const CID = 7;

/** A backend of plain lists. */
class TestBackend implements VsockBackend {
  readonly sent: Uint8Array[] = [];
  readonly incoming: Uint8Array[] = [];
  capacity = 64;

  get room(): boolean {
    return this.sent.length < this.capacity;
  }

  send(parts: readonly Uint8Array[], length: number): void {
    const packet = Uint8Array.from(parts.flatMap((part) => [...part]));
    assert.equal(packet.length, length);
    this.sent.push(packet);
  }

  next(): Uint8Array | undefined {
    return this.incoming[0];
  }

  drop(): void {
    this.incoming.shift();
  }

  flush(): void {}

  /** Operations of what was sent since the last call. */
  take(): number[] {
    return this.sent.splice(0).map((packet) => parseVsockHeader(packet).operation);
  }
}

function packet(data: Uint8Array, more: Partial<VsockHeader> = {}): Uint8Array {
  const header = encodeVsockHeader({
    sourceCid: CID,
    destinationCid: 2,
    sourcePort: 5000,
    destinationPort: 80,
    length: data.length,
    type: 1,
    operation: Operation.data,
    flags: 0,
    buffer: 65536,
    forwarded: 0,
    ...more,
  });
  return Uint8Array.of(...header, ...data);
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 0xff);

function started(): { driver: GuestDriver; device: Vsock; backend: TestBackend; queues: DriverQueue[] } {
  const backend = new TestBackend();
  const device = new Vsock(backend, CID);
  const driver = new GuestDriver(device);
  const queues = driver.start(3);
  assert.deepEqual(backend.take(), [Operation.none], "the driver has started anew");
  return { driver, device, backend, queues };
}

test("Vsock: tells the guest its address", () => {
  const { driver } = started();
  assert.equal(driver.get(Register.config), CID);
  assert.equal(driver.get(Register.config + 4), 0);
  for (const cid of [0, 2, 2 ** 32 - 1, 3.5e10]) assert.throws(() => new Vsock(new TestBackend(), cid), RangeError);
});

test("Vsock: passes packets on, and drops those that are not what they say", () => {
  const { driver, backend, queues } = started();
  const [, transmit] = queues;
  const good = packet(bytes(100));
  driver.add(transmit, [good.slice(0, VSOCK_HEADER_BYTES), good.slice(VSOCK_HEADER_BYTES)]);
  driver.add(transmit, [packet(bytes(10), { length: 11 })]);
  driver.add(transmit, [packet(bytes(10), { sourceCid: 8 })]);
  driver.add(transmit, [packet(bytes(0), { operation: Operation.none })]);
  driver.add(transmit, [packet(bytes(0), { length: 65537 })]);
  // More than the packet says is no part of it.
  driver.add(transmit, [packet(bytes(10), { length: 4 })]);
  driver.notify(transmit);
  assert.equal(driver.used(transmit).length, 6);
  assert.deepEqual(backend.sent, [good, packet(bytes(10), { length: 4 }).slice(0, VSOCK_HEADER_BYTES + 4)]);
  assert.equal(driver.needsReset, false);
  driver.add(transmit, [new Uint8Array(VSOCK_HEADER_BYTES - 1)]);
  driver.notify(transmit);
  assert.equal(driver.needsReset, true);
});

test("Vsock: leaves packets with the driver while there is no room for them", () => {
  const { driver, device, backend, queues } = started();
  const [, transmit] = queues;
  backend.capacity = 1;
  for (let i = 0; i < 3; i++) driver.add(transmit, [packet(bytes(i))]);
  driver.notify(transmit);
  assert.equal(driver.used(transmit).length, 1);
  device.work();
  assert.equal(driver.used(transmit).length, 0);
  backend.sent.shift();
  device.work();
  backend.sent.shift();
  device.work();
  assert.equal(driver.used(transmit).length, 2);
  assert.equal(backend.sent.length, 1);
});

test("Vsock: cuts packets to the size of the driver's buffers, and keeps what there is no buffer for", () => {
  const { driver, device, backend, queues } = started();
  const [receive] = queues;
  const data = bytes(250);
  backend.incoming.push(packet(data), packet(bytes(0), { operation: Operation.reset }));
  const buffers = [driver.add(receive, [VSOCK_HEADER_BYTES + 100])[0], driver.add(receive, [300])[0]];
  driver.notify(receive);
  device.work();
  assert.deepEqual(
    driver.used(receive).map(({ length }) => length),
    [VSOCK_HEADER_BYTES + 100, VSOCK_HEADER_BYTES + 150],
  );
  assert.deepEqual(driver.bytes(buffers[0], 144), packet(data.subarray(0, 100)));
  assert.deepEqual(driver.bytes(buffers[1], 194), packet(data.subarray(100)));
  assert.equal(backend.incoming.length, 1);
  const [last] = driver.add(receive, [VSOCK_HEADER_BYTES]);
  driver.notify(receive);
  assert.equal(parseVsockHeader(driver.bytes(last, VSOCK_HEADER_BYTES)).operation, Operation.reset);
  assert.equal(backend.incoming.length, 0);
  backend.incoming.push(packet(data));
  driver.add(receive, [VSOCK_HEADER_BYTES]);
  driver.notify(receive);
  assert.equal(driver.needsReset, true);
});

test("Vsock: refuses calls while no driver listens", () => {
  const backend = new TestBackend();
  const device = new Vsock(backend, CID);
  new GuestDriver(device);
  backend.incoming.push(packet(bytes(0), { operation: Operation.request }));
  backend.incoming.push(packet(bytes(0), { operation: Operation.reset }));
  device.work();
  assert.deepEqual(backend.take(), [Operation.reset]);
  assert.equal(backend.incoming.length, 0);
});

test("Vsock: says that the driver has started anew before anything else, even if there was no room for it", () => {
  const { driver, device, backend } = started();
  backend.capacity = 0;
  const [, transmit] = driver.start(3);
  driver.add(transmit, [packet(bytes(1))]);
  driver.notify(transmit);
  assert.deepEqual(backend.take(), []);
  backend.capacity = 2;
  device.work();
  assert.deepEqual(backend.take(), [Operation.none, Operation.data]);
});

test("restore: tells the driver that its connections have ended", () => {
  const { driver, device, backend, queues } = started();
  const [, , events] = queues;
  const [buffer] = driver.add(events, [8]);
  driver.bytes(buffer, 8).fill(0xff);
  driver.notify(events);
  assert.deepEqual(driver.used(events), []);
  device.restore(device.save());
  assert.deepEqual(driver.used(events), [{ head: 0, length: 4 }]);
  assert.deepEqual([...driver.bytes(buffer, 4)], [0, 0, 0, 0]);
  assert.throws(() => device.restore(new Vsock(backend, CID + 1).save()), { code: "state-mismatch" });
  assert.throws(() => device.restore({ version: 2, cid: CID }), { code: "state-mismatch" });
});

test("Vsock: survives a guest gone mad", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const backend = new TestBackend();
  const device = new Vsock(backend, CID);
  fuzzDevice(device, random, {
    rounds: 3000,
    plausible: () =>
      packet(bytes(random.below(400)), {
        operation: random.below(9),
        length: random.pick([0, 1, 300, 65536, 2 ** 31]),
      }),
    host: () => {
      if (random.below(3) === 0) backend.sent.length = 0;
      if (backend.incoming.length < 4) backend.incoming.push(packet(bytes(random.below(5000))));
      device.work();
    },
  });
});
