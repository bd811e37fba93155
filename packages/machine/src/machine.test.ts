import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleElf, sampleImage } from "./boot/sample-files.ts";
import { ManualClock } from "./hart/clock.ts";
import { Machine, type MachineOptions } from "./machine.ts";
import { RAM_BASE } from "./memory.ts";
import {
  a0,
  a1,
  a2,
  a6,
  a7,
  add,
  addi,
  auipc,
  bne,
  csrrs,
  csrrw,
  ECALL,
  jal,
  ld,
  li,
  lw,
  print,
  SELF,
  sb,
  sbi,
  shutdown,
  sp,
  sw,
  t0,
  t1,
  t2,
  WFI,
  zero,
} from "./sample-assembler.ts";
import { TranslatingProcessor } from "./translating-processor.ts";

const MIB = 1024 * 1024;
function machineOf(
  kernel: Uint8Array,
  options: Partial<MachineOptions> = {},
): { machine: Machine; output: () => string } {
  let text = "";
  const machine = new Machine({
    ramSize: 32 * MIB,
    harts: 1,
    boot: { kernel },
    processor: (memory, harts) => new TranslatingProcessor(memory, harts),
    onOutput: (bytes) => {
      text += new TextDecoder("latin1").decode(bytes);
    },
    ...options,
  });
  machine.start();
  return { machine, output: () => text };
}

function runToEnd(machine: Machine, slices = 1000): void {
  for (let n = 0; n < slices && machine.state === "running"; n++) machine.runSlice();
}

test("Machine: a kernel Image prints through DBCN and shuts down through SRST", () => {
  const text = new TextEncoder().encode("hello from S-mode\n");
  // auipc gives the code's own address; the text lies 128 bytes behind it.
  const code = [
    auipc(t0, 0),
    ...li(a7, 0x4442434e),
    ...li(a6, 0),
    ...li(a0, text.length),
    addi(a1, t0, 128),
    addi(a2, zero, 0),
    ECALL,
    ...shutdown,
  ];
  const words = [...code, ...new Array(32 - code.length).fill(0), ...new Uint32Array(pad(text).buffer)];
  const { machine, output } = machineOf(sampleImage(words));
  runToEnd(machine);
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
  assert.equal(output(), "hello from S-mode\n");
});

test("Machine: a kernel starts with a0 = hart id and a1 = the device tree", () => {
  const code = [lw(t0, a1, 0), sw(t0, a1, -4), ...li(t1, 0x10_0000), ...li(t2, 0x5555), sw(t2, t1, 0), SELF];
  const { machine } = machineOf(sampleImage(code));
  const tree = Number(machine.harts[0].getX(a1));
  assert.equal(machine.harts[0].getX(a0), 0n);
  runToEnd(machine);
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
  assert.deepEqual([...machine.memory.readable(tree - 4, 4)!], [0xd0, 0x0d, 0xfe, 0xed]);
});

test("Machine: the serial port prints and the finisher ends with a code", () => {
  const code = [
    ...li(t0, 0x1000_0000),
    ...li(t1, "x".charCodeAt(0)),
    sb(t1, t0, 0),
    ...li(t0, 0x10_0000),
    ...li(t1, (42 << 16) | 0x3333),
    sw(t1, t0, 0),
    SELF,
  ];
  const { machine, output } = machineOf(sampleImage(code));
  runToEnd(machine);
  assert.deepEqual(machine.state, { stopped: "failed", code: 42 });
  assert.equal(output(), "x");
});

test("Machine: a reboot starts again from the same description", () => {
  // The first run finds 0 behind its code, puts 1 there and reboots: RAM keeps what it holds.
  const code = [
    auipc(t0, 0),
    addi(t0, t0, 1024),
    lw(t2, t0, 0),
    ...print("A"),
    bne(t2, zero, 4 * 2 + sbi(0x53525354, 0, 1, 0).length * 4),
    sw(sp, t0, 0),
    ...sbi(0x53525354, 0, 1, 0),
    ...shutdown,
  ];
  const { machine, output } = machineOf(sampleImage([addi(sp, zero, 1), ...code]));
  runToEnd(machine);
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
  assert.equal(output(), "AA");
});

test("Machine: a reboot can also end the run", () => {
  const { machine } = machineOf(sampleImage(sbi(0x53525354, 0, 1, 0)), { onReboot: () => "stop" });
  runToEnd(machine);
  assert.deepEqual(machine.state, { stopped: "reset", code: 0 });
});

test("Machine: a failure that the guest reports is not a power-off", () => {
  const { machine } = machineOf(sampleImage(sbi(0x53525354, 0, 0, 1)));
  runToEnd(machine);
  assert.deepEqual(machine.state, { stopped: "failed", code: 1 });
});

test("Machine: a trap vector that faults itself comes back after every slice", () => {
  const { machine } = machineOf(sampleImage([csrrw(zero, 0x105, zero), 0, 0]));
  for (let n = 0; n < 3; n++) machine.runSlice();
  assert.equal(machine.state, "running");
  assert.equal(machine.halted, false);
});

test("Machine: waits for the timer, and says until when", () => {
  const clock = new ManualClock();
  const code = [
    ...sbi(0x54494d45, 0, 5000),
    ...li(t0, 1 << 5),
    csrrs(zero, 0x104, t0),
    WFI,
    ...print("t"),
    ...shutdown,
  ];
  const { machine, output } = machineOf(sampleImage(code), { clock });
  assert.equal(machine.idleMs(), 0);
  for (let n = 0; n < 3; n++) machine.runSlice();
  assert.equal(machine.idleDeadline(), 5000n);
  assert.equal(machine.idleMs(), 0.5);
  assert.equal(machine.halted, false);
  assert.equal(output(), "");
  clock.advance(5000);
  assert.equal(machine.idleMs(), 0);
  runToEnd(machine);
  assert.equal(output(), "t");
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
});

test("Machine: a hart that waits with every interrupt off is halted", () => {
  const { machine } = machineOf(sampleImage([csrrw(zero, 0x104, zero), WFI, jal(-4)]));
  runToEnd(machine, 3);
  assert.equal(machine.idleDeadline(), undefined);
  assert.equal(machine.idleMs(), Number.POSITIVE_INFINITY);
  assert.equal(machine.halted, true);
});

test("Machine: input wakes a hart through the PLIC", () => {
  const code = [
    ...li(t0, 0x0c00_0000),
    addi(t1, zero, 1),
    sw(t1, t0, 10 * 4),
    ...li(t0, 0x0c00_2080),
    addi(t1, zero, 1 << 10),
    sw(t1, t0, 0),
    ...li(t0, 0x1000_0000),
    addi(t1, zero, 1),
    sb(t1, t0, 1),
    ...li(t0, 1 << 9),
    csrrs(zero, 0x104, t0),
    WFI,
    ...sbi(0x02, 0),
    ...li(a7, 1),
    ECALL,
    ...shutdown,
  ];
  const { machine, output } = machineOf(sampleImage(code));
  runToEnd(machine, 3);
  assert.equal(machine.idleMs(), Number.POSITIVE_INFINITY);
  assert.equal(machine.halted, false, "input could wake it");
  assert.equal(machine.platform.uart.receive(new TextEncoder().encode("k")), 1);
  assert.equal(machine.idleMs(), 0);
  runToEnd(machine);
  assert.equal(output(), "k");
});

test("Machine: HSM starts another hart, which stops; an IPI ends a suspend", () => {
  const second = [addi(t2, a1, 0), ...print("2"), ...sbi(0x735049, 0, 1, 0), ...sbi(0x48534d, 1), SELF];
  const first = [
    ...li(t0, 2),
    csrrs(zero, 0x104, t0),
    ...print("1"),
    auipc(t1, 0),
    ...li(a7, 0x48534d),
    ...li(a6, 0),
    ...li(a0, 1),
    addi(a1, t1, 1024),
    addi(a2, zero, 77),
    ECALL,
    ...sbi(0x48534d, 3, 0),
    ...print("3"),
    ...shutdown,
  ];
  const at = first.indexOf(auipc(t1, 0));
  const words = [...first, ...new Array(at + 256 - first.length).fill(0), ...second];
  const { machine, output } = machineOf(sampleImage(words), { harts: 2 });
  runToEnd(machine);
  assert.equal(output(), "123");
  assert.equal(machine.harts[1].getX(t2), 77n);
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
});

test("Machine: firmware enters in M-mode on all harts with a2 = the next stage's description", () => {
  // Hart 0 prints the low byte of the next stage's mode and powers off; hart 1 parks.
  const code = [
    csrrs(t0, 0xf14, zero),
    bne(t0, zero, 4 * 11),
    ld(t1, a2, 24),
    addi(t1, t1, 0x30),
    ...li(t0, 0x1000_0000),
    sb(t1, t0, 0),
    ...li(t0, 0x10_0000),
    ...li(t1, 0x5555),
    sw(t1, t0, 0),
    SELF,
  ];
  const firmware = new Uint8Array(Uint32Array.from(code).buffer);
  for (const file of [firmware, sampleElf(RAM_BASE, [{ physical: RAM_BASE, bytes: firmware }])]) {
    const { machine, output } = machineOf(file, { harts: 2, boot: { firmware: file, kernel: Uint8Array.of(1) } });
    assert.deepEqual(
      machine.harts.map((hart) => [hart.getX(a0), hart.privilege]),
      [
        [0n, 3],
        [1n, 3],
      ],
    );
    runToEnd(machine);
    assert.equal(output(), "1");
    assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
  }
});

test("Machine: firmware gets CLINT timer interrupts", () => {
  const clock = new ManualClock();
  const code = [
    ...li(t0, 0x0200_4000),
    addi(t1, zero, 100),
    sw(t1, t0, 0),
    sw(zero, t0, 4),
    addi(t1, zero, 1 << 7),
    csrrw(zero, 0x304, t1),
    WFI,
    ...li(t0, 0x10_0000),
    ...li(t1, 0x5555),
    sw(t1, t0, 0),
    SELF,
  ];
  const firmware = new Uint8Array(Uint32Array.from(code).buffer);
  const { machine } = machineOf(firmware, { clock, boot: { firmware } });
  runToEnd(machine, 3);
  assert.equal(machine.idleDeadline(), 100n);
  clock.advance(100);
  runToEnd(machine);
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
});

test("Machine: a virtio slot appears in the tree, answers on the bus and is reset with the machine", () => {
  const writes: number[][] = [];
  const code = [...li(t0, 0x1000_3000), lw(a0, t0, 4), ...li(a7, 1), ECALL, ...shutdown];
  let text = "";
  const machine = new Machine({
    ramSize: 32 * MIB,
    harts: 1,
    boot: { kernel: sampleImage(code) },
    processor: (memory, harts) => new TranslatingProcessor(memory, harts),
    onOutput: (bytes) => {
      text += new TextDecoder().decode(bytes);
    },
  });
  const device = { read: (offset: number) => 0x61 + offset, write: (...values: number[]) => void writes.push(values) };
  assert.equal(
    machine.attachVirtio(2, () => device),
    device,
  );
  assert.throws(() => machine.attachVirtio(2, () => device), /no free virtio slot 2/);
  assert.throws(() => machine.attachVirtio(24, () => device), /no free virtio slot 24/);
  machine.start();
  assert.deepEqual(writes, [[0x70, 4, 0]]);
  runToEnd(machine);
  assert.equal(text, "e");
});

test("Machine: an SBI call from translated code takes and gives the registers of that moment", () => {
  // Probes DBCN in a loop, counting in t2 the answers that are right; translated at once.
  const probe = sbi(0x10, 3, 0x4442434e);
  const loop = [
    ...probe,
    bne(a0, zero, 4 * 2),
    add(t2, t2, a1),
    addi(t1, t1, -1),
    bne(t1, zero, -4 * (probe.length + 3)),
  ];
  const code = [addi(t1, zero, 200), addi(t2, zero, 0), ...loop, ...shutdown];
  const { machine } = machineOf(sampleImage(code), {
    processor: (memory, harts) => new TranslatingProcessor(memory, harts, { threshold: 0 }),
  });
  runToEnd(machine);
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
  assert.equal(machine.harts[0].getX(t2), 200n);
});

/** Random instruction words as a kernel: the host survives whatever they do, and every slice comes back. */
test("Machine: survives kernels of random words", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`seed ${seed}`);
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state ^ (state >>> 13)) >>> 0;
  };
  for (let round = 0; round < 20; round++) {
    const words = Array.from({ length: 512 }, () => (random() & 3 ? random() | 3 : (random() & 0xfff0_0000) | 0x73));
    const { machine } = machineOf(sampleImage(words), { harts: 1 + (round & 1), onReboot: () => "stop" });
    for (let n = 0; n < 3; n++) machine.runSlice();
    assert.ok(machine.idleMs() >= 0);
  }
});

function pad(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array((bytes.length + 3) & ~3);
  padded.set(bytes);
  return padded;
}
