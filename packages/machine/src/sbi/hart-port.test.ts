import assert from "node:assert/strict";
import { test } from "node:test";
import { Bus } from "../bus.ts";
import { ManualClock } from "../hart/clock.ts";
import { Hart } from "../hart/hart.ts";
import { HartState, Signal } from "../hart/layout.ts";
import { Privilege } from "../hart/state.ts";
import { GuestMemory, RAM_BASE } from "../memory.ts";
import { enterSupervisor, HartPort } from "./hart-port.ts";

function makeHart(): { hart: Hart; memory: GuestMemory; port: HartPort } {
  const memory = new GuestMemory(1024 * 1024, 1);
  const hart = new Hart({ memory, bus: new Bus(), clock: new ManualClock(), index: 0, start: "supervisor" });
  return { hart, memory, port: new HartPort(hart) };
}

test("HartPort.loadVirtual: gives a doubleword, or records the fault", () => {
  const { hart, memory, port } = makeHart();
  memory.view.setBigUint64(memory.offsetOf(RAM_BASE + 8, 8), 0xfedc_ba98_7654_3210n, true);
  assert.equal(port.loadVirtual(BigInt(RAM_BASE + 8)), 0xfedc_ba98_7654_3210n);
  assert.equal(port.loadVirtual(0x10n), undefined);
  assert.equal(hart.words[HartState.signal / 4], Signal.exception);
  assert.equal(hart.words[HartState.cause / 4], 5);
});

test("HartPort.fenceAddresses: a fenced page is walked again, another is not", () => {
  const { hart, memory, port } = makeHart();
  // One Sv39 root with a gigabyte leaf at 0 that maps RAM; A and D are set.
  const root = RAM_BASE + 0x1000;
  const leaf = (page: number) => (BigInt(page) << 10n) | 0xcfn;
  memory.view.setBigUint64(memory.offsetOf(root, 8), leaf(RAM_BASE / 4096), true);
  hart.writeCsr(0x180, (8n << 60n) | BigInt(root / 4096));
  assert.equal(port.loadVirtual(0x2000n), 0n);
  memory.view.setBigUint64(memory.offsetOf(root, 8), 0n, true);
  for (const [address, asid] of [
    [0x2000n, 0n],
    [undefined, 0n],
    [0x2000n, undefined],
    [undefined, undefined],
  ] as const) {
    port.fenceAddresses(address, asid);
    hart.words[HartState.signal / 4] = Signal.none;
    assert.equal(port.loadVirtual(0x2000n), undefined);
    hart.words[HartState.signal / 4] = Signal.none;
    memory.view.setBigUint64(memory.offsetOf(root, 8), leaf(RAM_BASE / 4096), true);
    assert.equal(port.loadVirtual(0x2000n), 0n);
    memory.view.setBigUint64(memory.offsetOf(root, 8), 0n, true);
  }
});

test("enterSupervisor: translation and interrupts are off, a0 and a1 are set, pending interrupts stay", () => {
  const { hart, port } = makeHart();
  hart.writeCsr(0x180, 8n << 60n);
  hart.writeCsr(0x300, 2n);
  hart.waiting = true;
  port.setPending(9, true);
  enterSupervisor(hart, { address: BigInt(RAM_BASE + 4), opaque: 5n });
  assert.equal(hart.privilege, Privilege.supervisor);
  assert.equal(hart.readCsr(0x180), 0n);
  assert.equal(hart.readCsr(0x100)! & 2n, 0n);
  assert.equal(hart.readCsr(0x344)! & (1n << 9n), 1n << 9n);
  assert.deepEqual([hart.pc, hart.getX(10), hart.getX(11), hart.waiting], [BigInt(RAM_BASE + 4), 0n, 5n, false]);
});
