import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzDevice } from "../testing/fuzz-device-node.ts";
import { type DriverQueue, GuestDriver, ringFeaturesWithout } from "../testing/guest-driver.ts";
import { seededRandom } from "../testing/random.ts";
import { Feature, Interrupt, Status } from "../virtio.ts";
import { Console } from "./device.ts";
import { BACKLOG_BYTES } from "./ports.ts";

const [DEVICE_READY, PORT_ADD, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME] = [0, 1, 3, 4, 5, 6, 7];

const [SIZE, MULTIPORT] = [1n, 2n];
/** Interrupts after each completion. */
const plainRings = ringFeaturesWithout(Feature.eventIndex);

function control(port: number, event: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, port, true);
  new DataView(bytes.buffer).setUint16(4, event, true);
  new DataView(bytes.buffer).setUint16(6, value, true);
  return bytes;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.slice());

/** A console with a terminal on port 0 and a named stream on port 1. */
function machine(features?: bigint) {
  const events: string[] = [];
  const listen = (name: string) => ({
    onData: (bytes: Uint8Array) => events.push(`${name}: ${decode(bytes)}`),
    onOpen: () => events.push(`${name} open`),
    onClose: () => events.push(`${name} closed`),
    onRoom: () => events.push(`${name} room`),
  });
  const device = new Console([
    { console: true, ...listen("tty") },
    { name: "bulkhead.stdin", ...listen("stdin") },
  ]);
  const driver = new GuestDriver(device);
  const queues = driver.start(6, features ?? plainRings | SIZE | MULTIPORT);
  const buffers = new Map<DriverQueue, number[]>();
  /** Gives the device buffers to fill. */
  const lend = (queue: DriverQueue, count: number, length = 64) => {
    const all = buffers.get(queue) ?? [];
    buffers.set(queue, all);
    for (let i = 0; i < count; i++) all.push(...driver.add(queue, [length]));
    driver.notify(queue);
  };
  /** What the device has put into them since. */
  const take = (queue: DriverQueue) =>
    driver.used(queue).map(({ length }) => driver.bytes(buffers.get(queue)?.shift() ?? 0, length).slice());
  const send = (queue: DriverQueue, ...parts: Uint8Array[]) => {
    driver.add(queue, parts);
    driver.notify(queue);
    driver.used(queue);
  };
  const tell = (port: number, event: number, value: number) => send(queues[3], control(port, event, value));
  /** Control messages from the device: port, event, value and what follows. */
  const told = () =>
    take(queues[2]).map((bytes) => {
      const view = new DataView(bytes.buffer);
      const message = [view.getUint32(0, true), view.getUint16(4, true), view.getUint16(6, true)];
      return bytes.length > 8 ? [...message, decode(bytes.subarray(8))] : message;
    });
  return { device, driver, queues, events, lend, take, send, tell, told };
}

/** A machine whose guest has set up both ports and opened port 1. */
function opened() {
  const it = machine();
  it.lend(it.queues[2], 12);
  it.tell(0, DEVICE_READY, 1);
  it.tell(0, PORT_READY, 1);
  it.tell(1, PORT_READY, 1);
  it.tell(1, PORT_OPEN, 1);
  it.told();
  it.lend(it.queues[2], 4);
  it.events.length = 0;
  return it;
}

test("control: the guest learns of the ports, which is a console, what the other is called, and that both are open", () => {
  const { lend, tell, told, queues, device } = machine();
  device.resize(100, 40);
  lend(queues[2], 12);
  tell(0, DEVICE_READY, 1);
  assert.deepEqual(told(), [
    [0, PORT_ADD, 1],
    [1, PORT_ADD, 1],
  ]);
  tell(0, PORT_READY, 1);
  assert.deepEqual(told(), [
    [0, CONSOLE_PORT, 1],
    [0, RESIZE, 1, "d\0(\0"],
    [0, PORT_OPEN, 1],
  ]);
  tell(1, PORT_READY, 1);
  assert.deepEqual(told(), [
    [1, PORT_NAME, 1, "bulkhead.stdin"],
    [1, PORT_OPEN, 1],
  ]);
});

test("control: messages wait for buffers, and asking again and again does not pile them up", () => {
  const { lend, tell, told, queues } = machine();
  for (let i = 0; i < 100; i++) {
    tell(0, DEVICE_READY, 1);
    tell(1, PORT_READY, 1);
  }
  lend(queues[2], 3);
  assert.deepEqual(told(), [
    [0, PORT_ADD, 1],
    [1, PORT_ADD, 1],
    [1, PORT_NAME, 1, "bulkhead.stdin"],
  ]);
  lend(queues[2], 10);
  assert.deepEqual(told(), [[1, PORT_OPEN, 1]]);
});

test("control: what makes no sense is ignored", () => {
  const { lend, send, tell, told, queues, driver, events } = machine();
  lend(queues[2], 8);
  tell(0, DEVICE_READY, 0);
  tell(2, PORT_READY, 1);
  tell(0xffff_ffff, PORT_OPEN, 1);
  tell(1, PORT_READY, 0);
  tell(1, 99, 1);
  send(queues[3], Uint8Array.of(1, 0, 0));
  assert.deepEqual(told(), []);
  assert.deepEqual(events, []);
  assert.equal(driver.needsReset, false);
});

test("control: a buffer too small for a message needs a reset", () => {
  const { lend, tell, queues, driver } = machine();
  lend(queues[2], 1, 7);
  tell(0, DEVICE_READY, 1);
  assert.match(driver.transport.failure ?? "", /too small/);
});

test("onData: the guest's bytes arrive per buffer, in order, whole", () => {
  const { send, queues, events } = opened();
  send(queues[5], encode("hello "), encode("world"));
  send(queues[1], encode("tty"));
  assert.deepEqual(events, ["stdin: hello world", "tty: tty"]);
});

test("pause: the guest keeps its bytes until the host can take them", () => {
  const { device, driver, queues, events } = opened();
  device.ports[1].pause();
  for (const text of ["a", "b"]) driver.add(queues[5], [encode(text)]);
  driver.notify(queues[5]);
  assert.deepEqual([events, driver.used(queues[5])], [[], []]);
  driver.acknowledge();
  device.ports[1].resume();
  assert.deepEqual(events, ["stdin: a", "stdin: b"]);
  assert.equal(driver.used(queues[5]).length, 2);
  assert.equal(driver.acknowledge(), Interrupt.usedBuffer);
});

test("pause: may come in the middle of a batch", () => {
  const seen: string[] = [];
  const onData = (bytes: Uint8Array) => {
    seen.push(decode(bytes));
    other.ports[0].pause();
  };
  const other: Console = new Console([{ onData }]);
  const second = new GuestDriver(other);
  const [, transmit] = second.start(4);
  for (const text of ["a", "b"]) second.add(transmit, [encode(text)]);
  second.notify(transmit);
  assert.deepEqual(seen, ["a"]);
  other.ports[0].resume();
  assert.deepEqual(seen, ["a", "b"]);
});

test("write: bytes wait until the guest opens the port and lends buffers, and arrive in order", () => {
  const { device, lend, take, tell, queues, driver } = machine();
  lend(queues[2], 12);
  lend(queues[4], 2, 4);
  assert.equal(device.ports[1].write(encode("hello ")), 6);
  assert.equal(device.ports[1].write(encode("world")), 5);
  assert.deepEqual(take(queues[4]), []);
  tell(1, PORT_OPEN, 1);
  assert.deepEqual(take(queues[4]).map(decode), ["hell", "o wo"]);
  driver.acknowledge();
  lend(queues[4], 1, 10);
  assert.deepEqual(take(queues[4]).map(decode), ["rld"]);
  assert.equal(driver.acknowledge() & Interrupt.usedBuffer, Interrupt.usedBuffer);
});

test("write: interrupts the guest at once when it waits with buffers", () => {
  const { device, lend, take, queues, driver } = opened();
  lend(queues[4], 1);
  driver.acknowledge();
  device.ports[1].write(encode("x"));
  assert.equal(driver.level, true);
  assert.deepEqual(take(queues[4]).map(decode), ["x"]);
});

test("write: takes no more than the backlog holds, and tells when there is room again", () => {
  const { device, lend, events, queues, driver } = opened();
  const [, port] = device.ports;
  assert.equal(port.write(new Uint8Array(BACKLOG_BYTES + 10)), BACKLOG_BYTES);
  assert.equal(port.write(new Uint8Array(1)), 0);
  lend(queues[4], 1, BACKLOG_BYTES / 2 - 1);
  assert.deepEqual(events, []);
  lend(queues[4], 1, 1);
  assert.deepEqual(events, ["stdin room"]);
  assert.equal(driver.used(queues[4]).length, 2);
});

test("write: what the host writes when told of room comes behind what was there", () => {
  const seen = { more: true };
  const device: Console = new Console([
    {
      onData: () => {},
      onRoom: () => {
        if (seen.more) device.ports[0].write(encode("b"));
        seen.more = false;
      },
    },
  ]);
  const driver = new GuestDriver(device);
  const [receive] = driver.start(4, plainRings);
  device.ports[0].write(new Uint8Array(BACKLOG_BYTES + 1).fill(97));
  const [first, second] = [...driver.add(receive, [BACKLOG_BYTES]), ...driver.add(receive, [10])];
  driver.notify(receive);
  assert.deepEqual(
    driver.used(receive).map(({ length }) => length),
    [BACKLOG_BYTES, 1],
  );
  assert.equal(decode(driver.bytes(first, 2)), "aa");
  assert.equal(decode(driver.bytes(second, 1)), "b");
});

test("close: the guest sees the end behind the last byte, and open again after open", () => {
  const { device, lend, take, told, queues } = opened();
  const [, port] = device.ports;
  port.write(encode("last"));
  port.close();
  assert.equal(port.write(encode("late")), 0);
  assert.deepEqual(told(), []);
  lend(queues[4], 1);
  assert.deepEqual(take(queues[4]).map(decode), ["last"]);
  assert.deepEqual(told(), [[1, PORT_OPEN, 0]]);
  assert.equal(port.hostOpen, false);
  port.open();
  assert.deepEqual(told(), [[1, PORT_OPEN, 1]]);
});

test("close: a port that is closed before the guest knows it is never announced as open", () => {
  const { device, lend, tell, told, queues } = machine();
  device.ports[1].close();
  lend(queues[2], 8);
  assert.deepEqual(told(), [[1, PORT_OPEN, 0]]);
  tell(1, PORT_READY, 1);
  assert.deepEqual(told(), [[1, PORT_NAME, 1, "bulkhead.stdin"]]);
});

test("onOpen, onClose: follow the guest's end and a reset", () => {
  const { tell, events, driver } = opened();
  tell(1, PORT_OPEN, 1);
  tell(1, PORT_OPEN, 0);
  tell(1, PORT_OPEN, 1);
  driver.set(0x70, 0);
  assert.deepEqual(events, ["stdin closed", "stdin open", "stdin closed"]);
});

test("ready: nothing is taken from the queues before DRIVER_OK, whatever the host does", () => {
  const { device, driver } = opened();
  driver.negotiate(plainRings | MULTIPORT);
  const [, , receive, , , transmit] = [0, 1, 2, 3, 4, 5].map((index) => driver.setUp(index, 8));
  driver.add(receive, [64]);
  driver.add(transmit, [encode("early")]);
  device.ports[1].pause();
  device.ports[1].resume();
  device.ports[1].close();
  device.resize(1, 1);
  assert.deepEqual([driver.used(receive), driver.used(transmit), driver.level], [[], [], false]);
  driver.set(0x70, driver.status | Status.driverOk);
  assert.deepEqual([driver.used(receive).length, driver.used(transmit).length, driver.level], [1, 1, true]);
});

test("reset: bytes that wait go to the next driver", () => {
  const { device, driver, tell } = opened();
  device.ports[1].write(encode("kept"));
  tell(1, PORT_OPEN, 0);
  const queues = driver.start(6, plainRings | SIZE | MULTIPORT);
  driver.add(queues[3], [control(1, PORT_OPEN, 1)]);
  driver.notify(queues[3]);
  const [buffer] = driver.add(queues[4], [16]);
  driver.notify(queues[4]);
  assert.deepEqual(driver.used(queues[4]), [{ head: 0, length: 4 }]);
  assert.equal(decode(driver.bytes(buffer, 4)), "kept");
});

test("multiport: without it port 0 is open from the start and nothing else is served", () => {
  const { device, lend, take, send, queues, events, driver } = machine(plainRings | SIZE);
  assert.deepEqual(events, ["tty open"]);
  device.ports[0].write(encode("in"));
  device.ports[1].write(encode("not yet"));
  lend(queues[0], 1);
  lend(queues[2], 2);
  lend(queues[4], 1);
  assert.deepEqual(take(queues[0]).map(decode), ["in"]);
  device.ports[0].close();
  send(queues[1], encode("out"));
  send(queues[3], control(1, PORT_OPEN, 1));
  send(queues[5], encode("nothing"));
  assert.deepEqual(events, ["tty open", "tty: out"]);
  assert.deepEqual([take(queues[2]), take(queues[4])], [[], []]);
  assert.equal(driver.needsReset, false);
});

test("resize: changes the configuration with an interrupt and tells open console ports", () => {
  const { device, driver, tell, told } = opened();
  tell(0, PORT_OPEN, 1);
  driver.acknowledge();
  device.resize(132, 50);
  assert.equal(driver.device.read(0x100, 4), 132 | (50 << 16));
  assert.equal(driver.device.read(0x104, 4), 2);
  assert.equal(driver.acknowledge() & Interrupt.configChange, Interrupt.configChange);
  assert.deepEqual(
    told().map(([port, event]) => [port, event]),
    [[0, RESIZE]],
  );
});

test("notify: a receive buffer that cannot be written needs a reset", () => {
  const { device, driver, queues } = opened();
  device.ports[1].write(encode("x"));
  driver.add(queues[4], [Uint8Array.of(0)]);
  driver.notify(queues[4]);
  assert.match(driver.transport.failure ?? "", /not writable/);
});

test("save: a restored console keeps ports, backlog and pending messages", () => {
  const { device } = opened();
  device.ports[1].write(encode("waiting"));
  device.ports[1].close();
  device.resize(10, 20);
  const other = machine();
  other.device.restore(structuredClone(device.save()));
  assert.deepEqual(other.device.save(), device.save());
  other.lend(other.queues[4], 1);
  assert.deepEqual(other.take(other.queues[4]).map(decode), ["waiting"]);
  const alone = new Console([{ onData: () => {} }]);
  assert.throws(() => alone.restore(device.save()), { code: "state-mismatch" });
});

test("console: has 1 to 31 ports", () => {
  assert.throws(() => new Console([]), /1 to 31/);
  assert.throws(() => new Console(Array.from({ length: 32 }, () => ({ onData: () => {} }))), /1 to 31/);
});

test("console: survives a guest gone mad while the host writes, closes, pauses and resizes", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const device = new Console(
    [0, 1, 2].map((id) => ({ console: id === 0, name: id > 0 ? `p${id}` : "", onData: () => {} })),
  );
  const acts = [
    () => device.ports[random.below(3)].write(random.bytes(random.below(300))),
    () => device.ports[random.below(3)].close(),
    () => device.ports[random.below(3)].open(),
    () => device.ports[random.below(3)].pause(),
    () => device.ports[random.below(3)].resume(),
    () => device.resize(random.below(65536), random.below(65536)),
  ];
  const plausible = () => control(random.below(4), random.below(8), random.below(2));
  fuzzDevice(device, random, { rounds: 4000, plausible, host: () => random.pick(acts)() });
  for (const port of device.ports) assert.ok(port.backlogBytes <= BACKLOG_BYTES && port.pending.size <= 5);
});
