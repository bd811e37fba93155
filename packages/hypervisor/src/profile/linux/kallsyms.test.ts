import assert from "node:assert/strict";
import { test } from "node:test";
import { type WrittenSymbol, writeKallsyms } from "../testing/kallsyms-writer.ts";
import { damaged, randomOf } from "../testing/random.ts";
import { findKallsyms } from "./kallsyms.ts";

const BASE = 0xffff_ffff_8000_0000n;
const layouts = ["addresses last", "addresses first"] as const;

function made(count: number): WrittenSymbol[] {
  return Array.from({ length: count }, (_, i) => ({
    type: "tTdD"[i % 4],
    name: i % 100 === 7 ? `__do_${"x".repeat(150)}${i}` : `sys_read_${i}`,
    offset: 64 * i,
  }));
}

for (const layout of layouts) {
  for (const count of [257, 512, 1000]) {
    test(`findKallsyms: reads ${count} symbols of a kernel with ${layout}`, () => {
      const symbols = made(count);
      const found = findKallsyms(writeKallsyms(symbols, BASE, layout, 12345));
      assert.deepEqual(
        found?.names,
        symbols.map(({ name }) => name),
      );
      assert.equal(found?.types, symbols.map(({ type }) => type).join(""));
      assert.deepEqual(
        [...found.offsets],
        symbols.map(({ offset }) => offset),
      );
      assert.equal(found?.base, BASE);
    });
  }
}

test("findKallsyms: finds nothing where there is nothing", () => {
  assert.equal(findKallsyms(new Uint8Array(100_000)), undefined);
  assert.equal(findKallsyms(new TextEncoder().encode("0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00")), undefined);
  const whole = writeKallsyms(made(300), BASE, "addresses last");
  assert.equal(findKallsyms(whole.subarray(0, whole.length / 2)), undefined);
});

test("findKallsyms: refuses addresses that are not in order", () => {
  const symbols = made(300).toSpliced(5, 1, { type: "t", name: "late", offset: 0 });
  assert.equal(findKallsyms(writeKallsyms(symbols, BASE, "addresses last")), undefined);
});

test("findKallsyms: never throws and never makes up symbols, whatever is damaged", () => {
  const random = randomOf("findKallsyms");
  const whole = writeKallsyms(made(600), BASE, "addresses last");
  for (let i = 0; i < 400; i++) {
    const found = findKallsyms(damaged(whole, random).subarray(0, random(10) === 0 ? random(whole.length) : undefined));
    if (found === undefined) continue;
    assert.equal(found.names.length, found.offsets.length);
    assert.equal(found.types.length, found.names.length);
  }
});
