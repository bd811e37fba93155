import assert from "node:assert/strict";
import { test } from "node:test";
import type { MmioDevice } from "../bus.ts";
import { ManualClock } from "../hart/clock.ts";
import { Clint } from "./clint.ts";
import { GoldfishRtc } from "./goldfish-rtc.ts";
import { memoryMap } from "./memory-map.ts";
import { Plic } from "./plic.ts";
import { Syscon } from "./syscon.ts";
import { Uart } from "./uart.ts";

/** Xorshift from a seed: 0 to `limit` - 1. */
function numbers(seed: number): (limit: number) => number {
  let state = seed | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

test("platform: random register accesses of any width never throw and give unsigned values of that width", (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}; set SEED=${seed} to repeat`);
  const below = numbers(seed);
  const bits = new Set([3, 7, 9, 11]);
  const setPending = (hart: number, bit: number) => assert.ok(hart < 2 && bits.has(bit));
  const clock = new ManualClock();
  const plic = new Plic(2, setPending);
  const sizes = { output: 0 };
  const uart = new Uart(plic.line(10), { output: (bytes) => (sizes.output += bytes.length) });
  const clint = new Clint(2, clock, setPending);
  const rtc = new GoldfishRtc(plic.line(11), () => clock.now() * 100n);
  const syscon = new Syscon({ onPowerOff: (code) => assert.ok(code >= 0 && code < 65536), onReset: () => {} });
  const devices: [MmioDevice, number, readonly number[]][] = [
    [uart, 8, [0]],
    [clint, 0x10, [0, 0x4000, 0xbff8]],
    [rtc, 0x24, [0]],
    [syscon, 8, [0]],
    [plic, 0x200, [0, 0x1000, 0x2000, 0x20_0000, 0x20_1000, 0x20_3000, memoryMap.plic.size - 0x200]],
  ];
  for (let i = 0; i < 60_000; i++) {
    const [device, span, bases] = devices[below(devices.length)];
    const offset = bases[below(bases.length)] + below(span);
    const bytes = [1, 2, 4][below(3)];
    if (below(2) === 0) device.write(offset, bytes, below(3) === 0 ? below(2 ** 32) : below(256));
    const value = device.read(offset, bytes) >>> 0;
    assert.ok(value < 2 ** (bytes * 8), `offset ${offset.toString(16)} gives ${value} in ${bytes} bytes`);
    if (below(10) === 0) uart.receive(new Uint8Array(below(20)));
    if (below(50) === 0) uart[(["pause", "resume", "flush"] as const)[below(3)]]();
    if (below(10) === 0) clock.advance(below(1000));
    clint.update();
    rtc.update();
  }
  uart.resume();
  assert.ok(sizes.output > 0);
});
