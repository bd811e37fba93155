import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BenchError } from "../error.ts";
import { checkOut } from "./revision.ts";

const inRepository = spawnSync("git", ["-C", import.meta.dirname, "rev-parse", "HEAD"]).status === 0;
const skip = !inRepository && "the files are not in a git repository";

test("checkOut: lays out a revision with packages of its own and ours installed", { skip }, async (t) => {
  const scratch = await realpath(await mkdtemp(join(tmpdir(), "bulkhead-revision-")));
  t.after(() => rm(scratch, { recursive: true, force: true }));
  const emulator = await checkOut("HEAD", "before", join(scratch, "before"));
  assert.equal(emulator.name, "before");
  assert.match(emulator.version, /^[0-9a-f]{12}$/);
  assert.ok(existsSync(join(scratch, "before", "packages", "bulkhead", "bin", "bulkhead.js")));
  const packages = join(scratch, "before", "node_modules");
  assert.equal(await realpath(join(packages, "@bulkhead", "machine")), join(scratch, "before", "packages", "machine"));
  assert.ok(existsSync(join(packages, "commander", "package.json")));
  assert.ok(!existsSync(join(scratch, "before.tar")));
});

test("checkOut: refuses what git does not know", { skip }, async () => {
  await assert.rejects(checkOut("no-such-revision", "x", "/nonexistent"), (error) => {
    return error instanceof BenchError && error.code === "revision-missing";
  });
});
