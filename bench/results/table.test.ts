import assert from "node:assert/strict";
import { test } from "node:test";
import { comparison, madeSamples, workloads } from "./made-result.ts";
import { groupResults, rowsOf } from "./rows.ts";
import { summarise } from "./statistics.ts";
import { resultTable, shortNumber, summaryText } from "./table.ts";

test("shortNumber: keeps three digits, and no more than three behind the point", () => {
  assert.deepEqual([0, 0.0123, 0.123, 1.234, 12.34, 123.4, 1234.5].map(shortNumber), [
    "0",
    "0.012",
    "0.123",
    "1.23",
    "12.3",
    "123",
    "1235",
  ]);
  assert.equal(shortNumber(Number.NaN), "–");
});

test("summaryText: shows the spread only where there is one to show", () => {
  assert.equal(summaryText(summarise([2]), "s"), "2.00 s");
  assert.equal(summaryText(summarise([1, 2, 3]), "s"), "2.00 s (1.00–3.00)");
  assert.equal(summaryText(summarise([1.9]), "×"), "1.90×");
  assert.equal(summaryText(undefined, "s"), "");
});

test("resultTable: says when a mean is not over all rows", () => {
  const samples = madeSamples();
  samples.add("xz", "QEMU 7.2", 1);
  const added = { name: "gcc", title: "gcc", group: "real", unit: "s" } as const;
  for (const machine of ["bulkhead", "QEMU 7.2"]) samples.add("gcc", machine, 1);
  const table = resultTable(groupResults(rowsOf([...workloads, added], samples, comparison)), comparison);
  assert.match(table, /geometric mean of 1 of 2 .* 1\.00×/);
});

test("resultTable: has a column for each machine and a verdict for each target", () => {
  const table = resultTable(groupResults(rowsOf(workloads, madeSamples(), comparison)), comparison);
  const lines = table.split("\n");
  const line = (start: string) => lines.find((each) => each.trim().startsWith(start)) ?? "";
  assert.match(lines[0], /bulkhead +QEMU 7\.2 +QEMU 10\.0 +v86 +ratio +native/);
  assert.match(line("sieve"), /2\.00 s \(1\.00–3\.00\) +4\.00 s \(4\.00–4\.00\) +6\.00 s .* 2\.00× +0\.250 s$/);
  assert.match(line("geometric mean"), /2\.00× +reaches the must \(must 2×, aim 4×\)$/);
  assert.match(line("CPU of one core"), /0\.500 % +0\.300 % +reaches the must \(must 1 %, aim 0\.2 %\)$/);
  assert.match(line("speed-up"), /1\.97× +reaches the aim/);
});
