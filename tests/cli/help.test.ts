import assert from "node:assert/strict";
import { test } from "node:test";
import { EXIT_OLD_NODE } from "../../packages/bulkhead/src/exit-codes.ts";
import { cli } from "./cli.ts";
import { oldNode } from "./old-node.ts";

test("cli: helps on stdout and exits with 0", async () => {
  for (const args of [["--help"], [], ["run", "--help"], ["images", "--help"], ["images", "build", "--help"]]) {
    const { code, stdout, stderr } = await cli(args);
    assert.equal(code, 0, args.join(" "));
    assert.match(stdout, /^Usage: bulkhead/);
    assert.equal(stderr, "");
  }
  assert.match((await cli(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
});

const old = oldNode();
const skip = old === undefined ? "no old Node.js on this host" : false;

test("cli: restarts itself with the pinned Node under an old one, exit code included", { skip }, async () => {
  assert.equal((await cli(["--version"], { node: old! })).code, 0);
  const { code, stderr } = await cli(["run", "--kernel", "/does/not/exist"], { node: old! });
  assert.equal(code, 104);
  assert.match(stderr, /no such file/);
});

test("cli: says in one line that Node is too old when there is no other", { skip }, async () => {
  const { code, stderr } = await cli(["--version"], { node: old!, env: { BULKHEAD_RESTARTED: "1" } });
  assert.equal(code, EXIT_OLD_NODE);
  assert.match(stderr, /^bulkhead: needs Node\.js 24 or newer.*\n$/);
});
