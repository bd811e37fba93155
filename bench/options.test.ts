import assert from "node:assert/strict";
import { test } from "node:test";
import { BenchError } from "./error.ts";
import { checkOnly, parseOptions } from "./options.ts";
import { chosenWorkloads, knownNames, workloadList } from "./sessions/all-workloads.ts";

const usage = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BenchError && error.code === "usage", String(error));
  assert.match(error.message, message);
  return true;
};

test("parseOptions: has three rounds, one where it is to be quick, or what is asked for", () => {
  assert.equal(parseOptions([]).repeat, 3);
  assert.equal(parseOptions(["--quick"]).repeat, 1);
  assert.equal(parseOptions(["--quick", "--repeat", "5"]).repeat, 5);
});

test("parseOptions: takes names by comma and by repetition", () => {
  assert.deepEqual(parseOptions(["--only", "fib, sieve,", "--only=small"]).only, ["fib", "sieve", "small"]);
  assert.deepEqual(parseOptions(["--qemu", "a", "--qemu", "b"]).qemu, ["a", "b"]);
});

test("parseOptions: refuses what it does not know, wrong numbers and combinations without sense", () => {
  assert.throws(() => parseOptions(["--fast"]), usage(/--fast.*--help/));
  assert.throws(() => parseOptions(["sieve"]), usage(/sieve/));
  assert.throws(() => parseOptions(["--json"]), usage(/--json/));
  for (const wrong of ["0", "101", "1.5", "x"])
    assert.throws(() => parseOptions(["--repeat", wrong]), usage(/1 to 100/));
  assert.throws(() => parseOptions(["--against", "HEAD", "--qemu", "q"]), usage(/--against/));
});

test("checkOnly: takes workloads and groups, and suggests the nearest name for another", () => {
  checkOnly(["fib", "small"], knownNames());
  assert.throws(() => checkOnly(["siev"], knownNames()), usage(/did you mean sieve/));
  assert.throws(() => checkOnly(["zzzzzzzz"], knownNames()), usage(/--list/));
});

test("chosenWorkloads: means all by nothing, groups by their name, and nothing of Debian when quick", () => {
  const names = (only: string[], quick: boolean) => chosenWorkloads(only, quick).map(({ name }) => name);
  assert.ok(names([], false).includes("gcc"));
  assert.ok(!names([], true).includes("gcc"));
  assert.deepEqual(names(["stall", "fib"], false), ["fib", "stall-timer", "stall-poll"]);
});

test("workloadList: names every workload once, and no two have one name", () => {
  const known = knownNames();
  assert.equal(new Set(known).size, known.length);
  for (const { name } of chosenWorkloads([], false)) assert.ok(workloadList().includes(`  ${name} `), name);
});
