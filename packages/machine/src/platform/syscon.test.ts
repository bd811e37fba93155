import assert from "node:assert/strict";
import { test } from "node:test";
import { Bus } from "../bus.ts";
import { memoryMap, virtioSlot } from "./memory-map.ts";
import { Syscon } from "./syscon.ts";

test("syscon: pass and fail end the machine with their code, reset restarts it, the rest does nothing", () => {
  const events: string[] = [];
  const syscon = new Syscon({ onPowerOff: (code) => events.push(`off ${code}`), onReset: () => events.push("reset") });
  const bus = new Bus();
  bus.attach(memoryMap.test.base, memoryMap.test.size, syscon);
  bus.write(0x10_0000, 4, 0x1234n);
  bus.write(0x10_0004, 4, 0x5555n);
  bus.write(0x10_0000, 1, 0x55n);
  bus.write(0x10_0000, 4, 0x5555n);
  bus.write(0x10_0000, 4, 0x002a_3333n);
  bus.write(0x10_0000, 2, 0x7777n);
  assert.deepEqual(events, ["off 0", "off 42", "reset"]);
  assert.equal(bus.read(0x10_0000, 4), 0n);
});

test("memoryMap: windows and interrupts are QEMU virt's and do not overlap", () => {
  const windows = [...Object.values(memoryMap), ...[0, 7, 8, 23].map(virtioSlot)].sort((a, b) => a.base - b.base);
  for (let i = 1; i < windows.length; i++) assert.ok(windows[i - 1].base + windows[i - 1].size <= windows[i].base);
  assert.deepEqual([virtioSlot(7).base, virtioSlot(7).interrupt], [0x1000_8000, 8]);
  assert.deepEqual([virtioSlot(8).base, virtioSlot(8).interrupt], [0x1000_9000, 32]);
});
