import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { failures } from "../../packages/bulkhead/src/exit-codes.ts";
import { tiny, tinyImage } from "../../packages/hypervisor/src/testing/tiny-guest.ts";
import { BIN, Cli, cli, contents, printed, withFolder } from "./cli.ts";
import { oldNode } from "./old-node.ts";

/** Gives `use` the arguments that run a guest of these steps; nothing may be left behind in its folder. */
const withGuest = (steps: readonly number[], use: (args: string[], env: Record<string, string>) => Promise<void>) =>
  withFolder(async (folder) => {
    const kernel = join(folder, "Image");
    const disk = join(folder, "disk");
    await writeFile(kernel, tinyImage(steps));
    await writeFile(disk, new Uint8Array(65_536));
    await use(["run", "--memory", "64", "--kernel", kernel, "--disk", disk], { TMPDIR: folder });
    assert.deepEqual(await contents(folder), ["Image", "disk"]);
  });

test("cli: prints what the guest prints and ends with its power-off", async () => {
  await withGuest([...tiny.print("hello\n"), ...tiny.powerOff], async (args, env) => {
    assert.deepEqual(await cli(args, { env }), { code: 0, signal: null, stdout: "hello\n", stderr: "" });
  });
});

test("cli: ends with the last lines of a guest that panicked", async () => {
  const words = "[    1.0] Kernel panic - not syncing: test\n";
  await withGuest([...tiny.print(words), ...tiny.reset], async (args, env) => {
    const { code, stderr } = await cli(args, { env });
    assert.equal(code, failures["guest-panic"].exit);
    assert.equal(stderr, `bulkhead: the guest's kernel panicked:\n  ${words}`);
  });
});

test("cli: ends a guest that nothing can wake any more", async () => {
  await withGuest(tiny.halt, async (args, env) => {
    const { code, stderr } = await cli(args, { env });
    assert.equal(code, failures["guest-stuck"].exit);
    assert.match(stderr, /^bulkhead: the guest has halted for ever/);
  });
});

for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const) {
  test(`cli: ends on ${signal} and leaves nothing behind`, async () => {
    await withGuest([...tiny.print("up"), ...tiny.loop], async (args, env) => {
      const running = new Cli(args, { env });
      await printed(running, "up");
      running.process.kill(signal);
      const { code, stderr } = await running.ended;
      assert.equal(code, failures.killed.exit);
      assert.equal(stderr, `bulkhead: the machine was stopped by ${signal}\n`);
    });
  });
}

const old = oldNode();
test("cli: passes a signal on when it was started by an old Node", { skip: old === undefined }, async () => {
  await withGuest([...tiny.print("up"), ...tiny.loop], async (args, env) => {
    const running = new Cli(args, { env, node: old! });
    await printed(running, "up");
    running.process.kill("SIGTERM");
    assert.equal((await running.ended).code, failures.killed.exit);
  });
});

test("cli: ends when nobody reads the console", async () => {
  await withGuest([...tiny.print("# "), ...tiny.echo], async (args, env) => {
    const running = new Cli(args, { env });
    await printed(running, "# ");
    running.process.stdout.destroy();
    running.process.stdin.end("more");
    assert.equal((await running.ended).code, failures.killed.exit);
  });
});

const script = await access("/usr/bin/script").then(
  () => false as const,
  () => "no script program (util-linux) to make a terminal",
);

test("cli: makes the terminal raw, leaves at Ctrl-] and restores it", { skip: script }, async () => {
  await withGuest([...tiny.print("up"), ...tiny.echo], async (args, env) => {
    const command = [process.execPath, BIN, ...args].map((word) => `'${word}'`).join(" ");
    const line = `stty -g; ${command}; echo "code=$?"; stty -g`;
    const terminal = spawn("script", ["-qec", line, "/dev/null"], { env: { ...process.env, ...env } });
    const typed = ["a\x03b", "\x1d"];
    const answers = ["up", "upa\x03b"];
    let text = "";
    for await (const chunk of terminal.stdout) {
      text += chunk;
      if (answers.length === 0 || !text.includes(answers[0])) continue;
      answers.shift();
      terminal.stdin.write(typed.shift());
    }
    const [before, middle, after] = text.trim().split(/\r?\n/);
    assert.equal(middle, "upa\x03bcode=0");
    assert.equal(after, before);
  });
});
