import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { failures } from "../../packages/bulkhead/src/exit-codes.ts";
import { tiny, tinyImage } from "../../packages/hypervisor/src/testing/tiny-guest.ts";
import { cli, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";

test("cli: --profile writes trace events and a table, and leaves the guest's output alone", async () => {
  await withFolder(async (folder) => {
    const kernel = join(folder, "Image");
    const file = join(folder, "p.json");
    await writeFile(kernel, tinyImage([...tiny.print("hello\n"), ...tiny.powerOff]));
    const { code, stdout, stderr } = await cli(["run", "--memory", "64", "--kernel", kernel, "--profile", file]);
    assert.deepEqual([code, stdout], [0, "hello\n"]);
    assert.match(stderr, /^profile: \d+\.\d\d s, \d+ samples, in .*p\.json\n/);
    const { traceEvents } = JSON.parse(await readFile(file, "utf8"));
    assert.ok(
      traceEvents.some(
        ({ name, args }: { name: string; args: { name: string } }) => name === "thread_name" && args.name === "hart 0",
      ),
    );
  });
});

test("cli: --profile says before the guest starts that its file cannot be written", async () => {
  const { code, stderr } = await cli(["run", "--kernel", process.execPath, "--profile", "/missing/p.json"]);
  assert.equal(code, failures["file-unwritable"].exit);
  assert.equal(stderr, "bulkhead: profile /missing/p.json: its directory does not exist\n");
  const wrong = await cli(["run", "busybox", "--profile", "p.txt"]);
  assert.equal(wrong.code, failures.usage.exit);
  assert.match(wrong.stderr, /expected a name that ends in \.json or \.folded/);
});

const skip = await skipWithout("busybox");

test("cli: --profile names the guest's processes and the functions of its kernel", { skip }, async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "p.folded");
    const loop = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done";
    const { code, stderr } = await cli(["run", "busybox", "--profile", file, "--", "sh", "-c", loop]);
    assert.equal(code, 0, stderr);
    const stacks = await readFile(file, "utf8");
    assert.match(stacks, /^swapper\/0;.*start_kernel|^swapper\/0;.*kernel_init/m);
    assert.match(stacks, /^sh;\[busybox\+0x[0-9a-f]+\] \d+$/m);
    assert.match(stderr, /translated code/);
    assert.doesNotMatch(stderr, /no Linux kernel|no type information/);
  });
});
