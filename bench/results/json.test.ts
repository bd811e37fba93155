import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonResult } from "./json.ts";
import { comparison, environment, madeSamples, workloads } from "./made-result.ts";
import { groupResults, rowsOf } from "./rows.ts";

const results = groupResults(rowsOf(workloads, madeSamples(), comparison));

test("jsonResult: gives medians, the best QEMU, the ratio and all samples of each row", () => {
  const result = JSON.parse(JSON.stringify(jsonResult(results, comparison, environment, ["a problem"])));
  const [sieve] = result.rows;
  assert.equal(sieve.workload, "sieve");
  assert.deepEqual(
    [sieve.bulkheadSeconds, sieve.qemuSeconds, sieve.qemu, sieve.ratio, sieve.nativeSeconds],
    [2, 4, "QEMU 7.2", 2, 0.25],
  );
  assert.deepEqual(sieve.machines.bulkhead.samples, [1, 3]);
  assert.equal(result.groups[0].worst, 2);
  assert.deepEqual(result.problems, ["a problem"]);
});

test("jsonResult: gives no seconds for what is not measured in them", () => {
  const idle = jsonResult(results, comparison, environment, []).rows.find(({ workload }) => workload === "idle-cpu");
  assert.equal(idle?.bulkheadSeconds, undefined);
  assert.equal(idle?.machines.bulkhead.median, 0.5);
  assert.equal(idle?.verdict, "must");
});

test("jsonResult: does not call a revision QEMU", () => {
  const [row] = jsonResult(results, { ...comparison, kind: "revision" }, environment, []).rows;
  assert.deepEqual([row.qemuSeconds, row.otherSeconds], [undefined, 4]);
});
