/** The conformance tool on programs of its own: a pass, a failure, silence, and files that are no tests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@bulkhead/isa";
import { type Tier, tiers } from "./bare-machine.ts";
import { symbolAddress } from "./symbol.ts";
import { failures, type Result, resultTable } from "./table.ts";
import { describe, runTest } from "./test-program.ts";

const BASE = 0x8000_0000;
const TOHOST = BASE + 0x100;
const [T0, GP] = [5, 3];

/** An ELF file of these instructions whose symbol table has `tohost`, unless it is to go by another name. */
function sampleElf(words: readonly number[], symbol = "tohost"): Uint8Array {
  const file = new Uint8Array(0x400);
  const view = new DataView(file.buffer);
  const put64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  put64(24, BASE);
  put64(32, 64);
  put64(40, 0x300);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint16(60, 3, true);
  view.setUint32(64, 1, true);
  [0x100, BASE, BASE, 0x100, 0x200].forEach((value, index) => {
    put64(72 + 8 * index, value);
  });
  words.forEach((word, index) => {
    view.setUint32(0x100 + 4 * index, word, true);
  });
  file.set(new TextEncoder().encode(`\0${symbol}\0`), 0x200);
  view.setUint32(0x220 + 24, 1, true);
  put64(0x220 + 32, TOHOST);
  const section = (index: number, type: number, offset: number, size: number, link: number) => {
    const at = 0x300 + 64 * index;
    view.setUint32(at + 4, type, true);
    put64(at + 24, offset);
    put64(at + 32, size);
    view.setUint32(at + 40, link, true);
  };
  section(1, 2, 0x220, 48, 2);
  section(2, 3, 0x200, 0x20, 0);
  return file;
}

/** Writes a code to `tohost` and loops; 0 says nothing. */
const reporting = (code: number) =>
  sampleElf([
    encode("auipc", { rd: T0, imm: 0 }),
    encode("addi", { rd: GP, rs1: 0, imm: code }),
    encode("sw", { rs1: T0, rs2: GP, imm: 0x100 }),
    encode("jal", { rd: 0, imm: -4 }),
  ]);

for (const tier of Object.keys(tiers) as Tier[]) {
  test(`runTest: tells passing, failing and silent programs apart (${tier})`, () => {
    assert.deepEqual(runTest(reporting(1), tier), { kind: "pass" });
    assert.deepEqual(runTest(reporting(7 * 2 + 1), tier), { kind: "fail", testCase: 7 });
    assert.equal(runTest(reporting(0), tier, { slices: 3 }).kind, "silent");
  });
}

test("runTest: refuses a file without tohost", () => {
  assert.throws(() => runTest(sampleElf([], "fromhost"), "interpreter"), /no symbol tohost/);
});

test("symbolAddress: finds a symbol by its whole name", () => {
  assert.equal(symbolAddress(sampleElf([]), "tohost"), TOHOST);
  assert.equal(symbolAddress(sampleElf([]), "host"), undefined);
  assert.equal(symbolAddress(sampleElf([]), "tohost2"), undefined);
});

const results: Result[] = [
  { test: "rv64ui-p-add", verdicts: { interpreter: { kind: "pass" }, jit: { kind: "fail", testCase: 4 } } },
  { test: "rv64ui-p-sub", verdicts: { interpreter: { kind: "pass" }, jit: { kind: "pass" } } },
  { test: "rv64si-p-wfi", verdicts: { interpreter: { kind: "silent", pc: 0x80n }, jit: { kind: "pass" } } },
];

test("resultTable: counts by group and tier", () => {
  assert.equal(
    resultTable(results, ["interpreter", "jit"]),
    [
      "| Group    | interpreter | jit    |",
      "| -------- | ----------- | ------ |",
      "| rv64ui-p | 2 of 2      | 1 of 2 |",
      "| rv64si-p | 0 of 1      | 1 of 1 |",
      "| all      | 2 of 3      | 2 of 3 |",
    ].join("\n"),
  );
});

test("failures: names the test, the tier and the case", () => {
  assert.deepEqual(failures(results), [
    "rv64ui-p-add on jit: case 4",
    "rv64si-p-wfi on interpreter: no report, at 0x80",
  ]);
  assert.equal(describe({ kind: "pass" }), "pass");
});
