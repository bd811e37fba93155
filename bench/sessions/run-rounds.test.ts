import assert from "node:assert/strict";
import { test } from "node:test";
import type { Emulator } from "../emulators/emulator.ts";
import { BenchError } from "../error.ts";
import { Samples } from "../results/samples.ts";
import { type Rounds, runRounds } from "./run-rounds.ts";
import type { Round, Session } from "./session.ts";

const emulator = (name: string): Emulator => ({
  name,
  kind: "qemu",
  version: name,
  needsOwnDisks: false,
  commandLine: () => ({ file: "sh", args: ["-c", "echo started; read -r line"] }),
});

const session = (name: string, round: (round: Round) => Promise<void>): Session => ({
  workloads: [{ name, title: name, group: "small", unit: "s" }],
  expectedSeconds: () => 1,
  round,
});

const rounds = (sessions: readonly Session[], rest: Partial<Rounds> = {}): Rounds => ({
  sessions,
  emulators: [emulator("a"), emulator("b"), emulator("c")],
  samples: new Samples(),
  repeat: 2,
  quick: false,
  cpuTime: false,
  nativePrograms: undefined,
  wants: () => true,
  progress: { during: async (_text, _seconds, _left, work) => await work(), say: async () => {} },
  signal: new AbortController().signal,
  ...rest,
});

test("runRounds: runs every session in every round, and another emulator begins each round", async () => {
  const seen: string[] = [];
  const note = (name: string) =>
    session(name, async ({ emulators }) => void seen.push(name + emulators.map((each) => each.name).join("")));
  await runRounds(rounds([note("x"), note("y")], { repeat: 4 }));
  assert.deepEqual(seen, ["xabc", "yabc", "xbca", "ybca", "xcab", "ycab", "xabc", "yabc"]);
});

test("runRounds: leaves out sessions that measure nothing that is wanted", async () => {
  const unwanted = session("x", () => assert.fail("it ran"));
  await runRounds(rounds([unwanted], { wants: (name) => name !== "x" }));
});

test("runRounds: goes on after a session that fails, tells what failed, and ends its guests", async () => {
  let pid = 0;
  let after = 0;
  const failing = session("x", async ({ start, emulators, problem }) => {
    const guest = await start(emulators[0], { kernel: "", initrd: "", append: "", memoryMiB: 1, cpus: 1, disks: [] });
    await guest.until(/started/, 30_000);
    pid = guest.pid;
    problem("doubtful");
    throw new BenchError("guest-failed", "it failed");
  });
  const next = session("y", async () => void after++);
  const problems = await runRounds(rounds([failing, next], { repeat: 1 }));
  assert.deepEqual(
    problems.map(({ code, message }) => [code, message]),
    [
      ["result-wrong", "doubtful"],
      ["guest-failed", "it failed"],
    ],
  );
  assert.equal(after, 1);
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

test("runRounds: stops when it is told to, also inside a session", async () => {
  const abort = new AbortController();
  const stopped = new BenchError("interrupted", "stopped");
  const stopping = session("x", async ({ step }) => {
    await step("first", 1, async () => abort.abort(stopped));
    await step("second", 1, () => assert.fail("it went on"));
  });
  await assert.rejects(runRounds(rounds([stopping], { signal: abort.signal })), stopped);
});

test("runRounds: lets defects of its own through", async () => {
  const broken = session("x", async () => assert.fail("a defect"));
  await assert.rejects(runRounds(rounds([broken])), /a defect/);
});
