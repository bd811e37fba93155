import assert from "node:assert/strict";
import { test } from "node:test";
import { comparison, madeSamples, workloads } from "./made-result.ts";
import { groupResults, judge, judgeRow, rowsOf } from "./rows.ts";
import { Samples } from "./samples.ts";

const rows = rowsOf(workloads, madeSamples(), comparison);
const row = (name: string) => rows.find(({ workload }) => workload.name === name)!;

test("rowsOf: orders by group, leaves out what was not measured, compares with the best peer of each row", () => {
  assert.deepEqual(
    rows.map(({ workload }) => workload.name),
    ["sieve", "fib", "boot", "speed-up", "idle-cpu"],
  );
  assert.equal(row("sieve").best, "QEMU 7.2");
  assert.equal(row("sieve").ratio, 2);
  assert.equal(row("fib").best, "QEMU 10.0");
  assert.equal(row("fib").ratio, 2);
  assert.equal(row("sieve").native?.median, 0.25);
});

test("rowsOf: shows others without comparing with them", () => {
  assert.equal(row("boot").peers.get("v86")?.median, 1);
  assert.equal(row("boot").best, "QEMU 10.0");
});

test("rowsOf: gives no ratio for what is not measured in seconds", () => {
  assert.equal(row("idle-cpu").ratio, undefined);
  assert.equal(row("speed-up").best, undefined);
});

test("rowsOf: compares rates and round trips by what is better of each", () => {
  const samples = new Samples();
  const add = (name: string, ...values: number[]): void => {
    for (const [i, machine] of ["bulkhead", "QEMU 7.2", "QEMU 10.0"].entries()) samples.add(name, machine, values[i]);
  };
  add("reads", 300, 100, 200);
  add("ping", 200, 400, 500);
  const [reads, ping] = rowsOf(
    [
      { name: "reads", title: "reads", group: "disk", unit: "IOPS" },
      { name: "ping", title: "ping", group: "net", unit: "µs" },
    ],
    samples,
    comparison,
  );
  assert.deepEqual([reads.best, reads.ratio], ["QEMU 10.0", 1.5]);
  assert.deepEqual([ping.best, ping.ratio], ["QEMU 7.2", 2]);
});

test("judge: reads bounds as least or most, and counts the bound itself as reached", () => {
  const target = { must: 1, aim: 2 };
  assert.deepEqual(
    [0.9, 1, 2].map((value) => judge(value, target, true)),
    ["missed", "must", "aim"],
  );
  const most = { must: 220, aim: 120 };
  assert.deepEqual(
    [221, 220, 100].map((value) => judge(value, most, false)),
    ["missed", "must", "aim"],
  );
});

test("judgeRow: takes the ratio of seconds and the value of all else; none without a target", () => {
  assert.equal(judgeRow(row("boot"), "qemu"), "must");
  assert.equal(judgeRow(row("idle-cpu"), "qemu"), "must");
  assert.equal(judgeRow(row("speed-up"), "qemu"), "aim");
  assert.equal(judgeRow(row("sieve"), "qemu"), undefined);
  assert.equal(judgeRow(row("boot"), "revision"), undefined);
  assert.equal(judgeRow(row("idle-cpu"), "revision"), "must");
});

test("groupResults: gives mean and worst for groups that are judged by them", () => {
  const [small, boot] = groupResults(rows);
  assert.ok(Math.abs(small.mean! - 2) < 1e-12);
  assert.equal(small.worst, 2);
  assert.equal(boot.mean, undefined);
});
