import assert from "node:assert/strict";
import { test } from "node:test";
import { EXIT_OLD_NODE, exitCodeTable, failures } from "./exit-codes.ts";
import { CliError, describeFailure, failureCode } from "./failure.ts";

test("failures: give every failure an exit code of its own", () => {
  const exits = [...Object.values(failures).map(({ exit }) => exit as number), EXIT_OLD_NODE];
  assert.equal(new Set(exits).size, exits.length);
  assert.ok(exits.every((exit) => exit >= 90 && exit < 124));
  assert.equal(exitCodeTable().split("\n").length, exits.length);
});

test("failureCode: takes the first known code along the causes", () => {
  assert.equal(failureCode(new CliError("usage", "x")), "usage");
  assert.equal(failureCode(new Error("x", { cause: Object.assign(new Error("y"), { code: "ENOSPC" }) })), "disk-full");
  assert.equal(failureCode(Object.assign(new Error("x"), { code: "ERR_ASSERTION" })), "internal");
  assert.equal(failureCode("text"), "internal");
  assert.equal(failureCode(Object.assign(new Error("x"), { code: "toString" })), "internal");
});

test("failureCode: survives causes that go round", () => {
  const error = new Error("round");
  error.cause = error;
  assert.equal(failureCode(error), "internal");
});

test("describeFailure: is one line without a stack", () => {
  assert.equal(describeFailure(new CliError("usage", "no such option"), false), "bulkhead: no such option\n");
});

test("describeFailure: keeps a second line and calls a defect a defect", () => {
  const text = describeFailure(new Error("first\n\nsecond\n"), false);
  assert.equal(text, "bulkhead: first\nsecond\nThis is a defect; BULKHEAD_DEBUG=1 shows where.\n");
});

test("describeFailure: shows the stack and the cause when debugging", () => {
  const text = describeFailure(new CliError("network", "no mirror", { cause: new Error("ECONNREFUSED") }), true);
  assert.match(text, /failure\.test\.ts/);
  assert.match(text, /ECONNREFUSED/);
});
