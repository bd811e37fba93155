import assert from "node:assert/strict";
import { test } from "node:test";
import { failures } from "./exit-codes.ts";
import { exitOfParse, type Handlers, program } from "./program.ts";

/** Parses and tells which handler was called with what; help goes to `text`. */
const parse = async (...args: string[]) => {
  const calls: unknown[][] = [];
  const record =
    (name: string) =>
    async (...values: unknown[]): Promise<number> => {
      calls.push([name, ...values]);
      return 5;
    };
  const handlers: Handlers = {
    run: record("run"),
    list: record("list"),
    build: record("build"),
    remove: record("remove"),
  };
  let exit: number | undefined;
  let text = "";
  const root = program(handlers, "1.2.3", (code) => {
    exit = code;
  });
  for (const command of [root, ...root.commands]) command.configureOutput({ writeOut: (part) => (text += part) });
  try {
    await root.parseAsync(args, { from: "user" });
  } catch (error) {
    exit = exitOfParse(error);
  }
  return { calls, exit, text };
};

test("program: runs an image with the default machine", async () => {
  const { calls, exit } = await parse("run", "busybox");
  assert.deepEqual(calls, [["run", "busybox", { memory: 1024, cpus: 1, disk: [], snapshot: true }]]);
  assert.equal(exit, 5);
});

test("program: takes every option of run", async () => {
  const { calls } = await parse(
    ...["run", "--memory", "512", "--cpus", "2", "--disk", "a", "--disk", "b", "--persist", "--no-snapshot"],
    ...["--kernel", "k", "--initrd", "i", "--append", "x y", "--firmware", "f"],
  );
  const expected = { memory: 512, cpus: 2, disk: ["a", "b"], persist: true, snapshot: false };
  assert.deepEqual(calls, [
    ["run", undefined, { ...expected, kernel: "k", initrd: "i", append: "x y", firmware: "f" }],
  ]);
});

test("program: lists, builds and removes images", async () => {
  assert.deepEqual((await parse("images")).calls, [["list", {}]]);
  assert.deepEqual((await parse("images", "list", "--json")).calls, [["list", { json: true }]]);
  const build = await parse("images", "build", "tools", "--include", "gcc,make", "--from", "debian", "--size", "8");
  assert.deepEqual(build.calls, [["build", "tools", { include: "gcc,make", from: "debian", size: 8 }]]);
  assert.deepEqual((await parse("images", "remove", "tools")).calls, [["remove", "tools"]]);
});

test("program: takes anything else for a usage error of one line", async () => {
  for (const args of [
    ["fly"],
    ["--fly"],
    ["run", "busybox", "uname", "-m"],
    ["run", "busybox", "uname"],
    ["run", "busybox", "--memory", "lots"],
    ["run", "busybox", "--memory", "4096"],
    ["run", "busybox", "--cpus", "0"],
    ["run", "busybox", "--disk"],
    ["images", "paint"],
    ["images", "build"],
    ["images", "build", "x", "--size", "0"],
  ]) {
    await assert.rejects(parse(...args), { code: "usage", message: /^[^\n]+$/ }, args.join(" "));
  }
});

test("program: points to -- when a command follows the image directly", async () => {
  await assert.rejects(parse("run", "busybox", "uname"), /behind --/);
});

test("program: helps with examples and every exit code", async () => {
  const { text, exit } = await parse("run", "--help");
  assert.equal(exit, 0);
  assert.match(text, /bulkhead run busybox -- uname -m/);
  for (const { exit: code } of Object.values(failures)) assert.match(text, new RegExp(`^  ${code}  `, "m"));
  for (const option of [
    "--memory",
    "--cpus",
    "--disk",
    "--kernel",
    "--initrd",
    "--append",
    "--firmware",
    "--persist",
    "--no-snapshot",
  ]) {
    assert.match(text, new RegExp(option));
  }
});

test("program: tells its version", async () => {
  assert.equal((await parse("--version")).text, "1.2.3\n");
});
