import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Profile, type Tier, tiers } from "@bulkhead/hypervisor";
import { foldedStacks } from "./folded.ts";
import { checkProfileName, claimProfileFile, writeProfileFile } from "./profile-file.ts";
import { summarize } from "./summary.ts";
import { profileTable } from "./table.ts";
import { traceEvents } from "./trace-events.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-profile-"));
});
after(() => rm(folder, { recursive: true }));

const frame = (name: string, module = "") => ({ name, module });
const frames = [
  frame("(idle)"),
  frame("sh"),
  frame("main", "busybox"),
  frame("read", "kernel"),
  frame("\x1b[2J;", "x"),
];
const stacks = [[0], [1, 2], [1, 3], [1, 2, 4]];

/** One sample each millisecond: a tier and a stack. */
function profileOf(samples: readonly (readonly [Tier, number])[], harts = 1): Profile {
  const moments = samples.length / harts;
  return {
    harts,
    durationMs: moments,
    frames,
    stacks,
    remarks: ["nothing to say"],
    samples: {
      intervalMs: 1,
      timesMs: Float64Array.from(samples, (_, i) => Math.floor(i / harts)),
      harts: Uint8Array.from(samples, (_, i) => i % harts),
      tiers: Uint8Array.from(samples, ([tier]) => tiers.indexOf(tier)),
      stacks: Uint32Array.from(samples, ([, stack]) => stack),
    },
  };
}

const sample = profileOf([
  ["idle", 0],
  ["translated", 1],
  ["translated", 3],
  ["interpreter", 3],
  ["exit", 2],
  ["idle", 0],
]);

test("summarize: shares the time out to tiers, and what was not idle to functions and processes", () => {
  const { totalSeconds, busySeconds, tiers: shares, functions, processes } = summarize(sample);
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);
  near(totalSeconds, 0.006);
  near(busySeconds, 0.004);
  near(shares[0].percent, 100 / 3);
  assert.deepEqual(
    shares.map(({ key }) => key),
    ["idle", "translated", "interpreter", "exit"],
  );
  assert.deepEqual(
    functions.map(({ key, percent }) => [key.name, percent]),
    [
      ["\x1b[2J;", 50],
      ["main", 25],
      ["read", 25],
    ],
  );
  assert.deepEqual(
    processes.map(({ key, percent }) => [key.name, percent]),
    [["sh", 100]],
  );
});

test("summarize: counts the time of all harts together", () => {
  const idle: [Tier, number] = ["idle", 0];
  assert.equal(summarize(profileOf([["translated", 1], idle, ["translated", 1], idle], 2)).busySeconds, 0.002);
  assert.equal(summarize(profileOf([])).totalSeconds, 0);
});

test("profileTable: shows tiers, functions with what they are of, and remarks, and nothing that steers a terminal", () => {
  const table = profileTable(sample, "p.json");
  assert.match(table, /^profile: 0\.01 s, 6 samples, in p\.json\nprofile: nothing to say\n/);
  assert.match(table, /0\.002 +33\.3 {2}translated code\n/);
  assert.match(table, /0\.001 +25\.0 {2}main +busybox\n/);
  assert.match(table, /\?\[2J; +x\n/);
  assert.ok(!table.includes("\x1b"));
});

interface Event {
  readonly ph: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly name: string;
  readonly cat?: string;
}

const eventsOf = (profile: Profile): Event[] => JSON.parse([...traceEvents(profile)].join("")).traceEvents;

test("traceEvents: makes one span of equal frames that follow one another, inside those that hold them", () => {
  const spans = eventsOf(sample)
    .filter(({ ph, tid }) => ph === "X" && tid === 1)
    .map(({ name, ts, dur }) => [name, ts, Math.ceil(dur)])
    .sort((a, b) => Number(a[1]) - Number(b[1]) || Number(b[2]) - Number(a[2]));
  assert.deepEqual(spans, [
    ["(idle)", 0, 1000],
    ["sh", 1000, 4000],
    ["main", 1000, 3000],
    ["\x1b[2J;", 2000, 2000],
    ["read", 4000, 1000],
    ["(idle)", 5000, 2000],
  ]);
});

test("traceEvents: gives each hart a track of functions and one of tiers", () => {
  const events = eventsOf(
    profileOf(
      [
        ["translated", 1],
        ["idle", 0],
        ["exit", 2],
        ["idle", 0],
      ],
      2,
    ),
  );
  const names = events.filter(({ ph }) => ph === "M").length;
  assert.equal(names, 1 + 2 * 2);
  assert.deepEqual(
    events.filter(({ ph, tid }) => ph === "X" && tid === 2).map(({ name }) => name),
    ["translated", "exit"],
  );
  assert.deepEqual(
    events.filter(({ ph, tid }) => ph === "X" && tid === 3).map(({ name, dur }) => [name, Math.ceil(dur)]),
    [["(idle)", 3000]],
  );
  assert.equal(events.find(({ name }) => name === "read")?.cat, "kernel");
});

test("traceEvents: shows nothing where samples are too far apart, and the table says so", () => {
  const gap = profileOf([
    ["translated", 1],
    ["translated", 1],
    ["translated", 1],
  ]);
  gap.samples.timesMs.set([0, 1, 100]);
  const profile = { ...gap, durationMs: 100 };
  const spans = eventsOf(profile).filter(({ name }) => name === "main");
  assert.deepEqual(
    spans.map(({ ts, dur }) => [ts, Math.ceil(dur)]),
    [
      [0, 2000],
      [100_000, 1000],
    ],
  );
  assert.match(profileTable(profile, "p.json"), /^profile: 0\.10 s of it could not be sampled/m);
});

test("traceEvents: lets no span end where another ends or begins", () => {
  const spans = eventsOf(sample).filter(({ ph, tid }) => ph === "X" && tid === 1);
  const ends = spans.map(({ ts, dur }) => ts + dur);
  assert.equal(
    new Set([...ends, ...spans.map(({ ts }) => ts)]).size,
    ends.length + new Set(spans.map(({ ts }) => ts)).size,
  );
});

test("foldedStacks: gives each stack a line with its samples", () => {
  assert.deepEqual([...foldedStacks(sample)].sort(), [
    "(idle) 2\n",
    "sh;main 1\n",
    "sh;main;\x1b[2J_ 2\n",
    "sh;read 1\n",
  ]);
});

test("checkProfileName: refuses names that say no format", () => {
  checkProfileName("a.json");
  checkProfileName("a.folded");
  assert.throws(() => checkProfileName("a.svg"), { code: "usage" });
});

test("claimProfileFile: refuses what cannot be written", async () => {
  await assert.rejects(claimProfileFile(join(folder, "missing", "p.json")), {
    code: "file-unwritable",
    message: /its directory does not exist/,
  });
  await assert.rejects(claimProfileFile(folder), { code: "file-unwritable", message: /EISDIR/ });
});

test("writeProfileFile: writes what the file's name asks for", async () => {
  await writeProfileFile(join(folder, "p.folded"), sample);
  assert.match(await readFile(join(folder, "p.folded"), "utf8"), /^sh;main 1$/m);
  await writeProfileFile(join(folder, "p.json"), sample);
  assert.ok(JSON.parse(await readFile(join(folder, "p.json"), "utf8")).traceEvents.length > 0);
});
