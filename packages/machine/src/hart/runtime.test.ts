/** The runtime module against the hart that it speeds up: two machines do the same, one with it and one without. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csrOperations, type SystemOperation, systemOperations } from "@bulkhead/isa";
import { RAM_BASE } from "../memory.ts";
import { Random, seedOf } from "../testing/random-node.ts";
import type { HartCallouts } from "./callouts.ts";
import { Cause } from "./cause.ts";
import { csrDeclarations } from "./csr-table.ts";
import type { Hart } from "./hart.ts";
import { BankState, HartState, TLB_BANK_BYTES, TLB_BANKS } from "./layout.ts";
import { Privilege, Slot, Word } from "./state.ts";
import { checkState, checkTlb } from "./testing/invariants-node.ts";
import { type Access, oracleWalk, type Walk } from "./testing/oracle-walk.ts";
import { fillLikelyTables, likelyAddress, randomAddress } from "./testing/random-tables.ts";
import { type HartRuntime, runtimeOf } from "./testing/runtime.ts";
import {
  DEVICE_BASE,
  enterMode,
  outcome,
  peek,
  poke,
  RAM_SIZE,
  type Sample,
  sample,
  satpFor,
  table,
} from "./testing/sample.ts";
import type { TlbBank } from "./tlb-bank.ts";

const [SSTATUS, SATP, MENVCFG] = [0x100, 0x180, 0x30a];
const [SUM, MXR, ADUE, PBMTE] = [1n << 18n, 1n << 19n, 1n << 61n, 1n << 62n];

/** Two machines that are alike, and the runtime over the second. */
interface Twins {
  readonly plain: Sample;
  readonly fast: Sample;
  readonly runtime: HartRuntime;
}

function twins(start: "machine" | "supervisor"): Twins {
  const fast = sample(start);
  return { plain: sample(start), fast, runtime: runtimeOf(fast.hart) };
}

/** Does the same on both; what it gives must be the same. */
function both<Result>(
  { plain, fast, runtime }: Twins,
  act: (hart: Hart, calls: HartCallouts | HartRuntime, machine: Sample) => Result,
): Result {
  const expected = act(plain.hart, plain.hart, plain);
  const found = act(fast.hart, runtime, fast);
  assert.deepEqual(found, expected);
  return expected;
}

/** What differs although nobody can tell: scratch space, and which banks were chosen when. */
const bookkeeping = new Set<number>([
  Slot.scratch,
  Slot.scratch + 1,
  Word.bankClock,
  Word.dataTlb,
  Word.fetchTlb,
  Word.fetchSpace,
  Word.lastSpace,
  ...Array.from({ length: 16 }, (_, i) => Word.recentBanks + i),
]);

function compareState({ plain, fast }: Twins): void {
  const end = HartState.jumps / 4;
  for (let word = 0; word < end; word++) {
    if (bookkeeping.has(word)) continue;
    assert.equal(fast.hart.words[word], plain.hart.words[word], `word at ${word * 4} of the hart's state`);
  }
  for (const space of ["dataSpace", "fetchSpace"] as const) {
    assert.deepEqual(keyOf(fast.hart[space]), keyOf(plain.hart[space]), space);
  }
  assert.equal(fast.hart.words[Word.fetchSpace], fast.hart.fetchSpace.space);
}

const keyOf = ({ access, satpLow, satpHigh, valid }: TlbBank) => ({ access, satpLow, satpHigh, valid });

function compareBytes(found: Int32Array, expected: Int32Array, what: string): void {
  const length = found.byteLength;
  const difference = Buffer.from(found.buffer, found.byteOffset, length).compare(
    Buffer.from(expected.buffer, expected.byteOffset, length),
  );
  if (difference !== 0) assert.deepEqual(found.slice(), expected.slice(), what);
}

const compareMemory = ({ plain, fast }: Twins): void =>
  compareBytes(
    fast.memory.words.subarray(fast.memory.ramOffset / 4),
    plain.memory.words.subarray(plain.memory.ramOffset / 4),
    "RAM",
  );

/** Compares the TLB, entry by entry, and what belongs to its banks. */
function compareTlb({ plain, fast }: Twins): void {
  for (let bank = 0; bank < TLB_BANKS; bank++) {
    const at = (HartState.tlbs + bank * TLB_BANK_BYTES) / 4;
    for (const hart of [fast.hart, plain.hart]) hart.words[at + BankState.lastUse / 4] = 0;
    compareBytes(
      fast.hart.words.subarray(at, at + BankState.end / 4),
      plain.hart.words.subarray(at, at + BankState.end / 4),
      `bank ${bank}`,
    );
  }
}

const ROUNDS = 40;
const STEPS = 300;
let traps = 0;
const accesses: readonly Access[] = ["load", "store", "fetch"];

test("walk: agrees with the specification's own steps on random tables, and leaves the TLB as the hart does", () => {
  const random = new Random(seedOf("wasm walk"));
  let [reached, fast] = [0, 0];
  for (let round = 0; round < 30; round++) {
    const pair = twins("machine");
    const seed = random.word();
    both(pair, (_hart, _calls, { memory }) => fillLikelyTables(memory, new Random(seed)));
    for (let i = 0; i < 150; i++) {
      const before = total(pair.runtime);
      if (!walkBoth(pair, random)) continue;
      reached++;
      if (total(pair.runtime) === before) fast++;
    }
    compareMemory(pair);
  }
  assert.ok(reached > 60, `only ${reached} translations succeeded`);
  assert.ok(fast > reached / 2, `only ${fast} of them without the hart`);
});

const total = ({ leftToHart }: HartRuntime): number => Object.values(leftToHart).reduce((a, b) => a + b, 0);

/** Translates once on both and by the oracle. True if there was a page. */
function walkBoth(pair: Twins, random: Random): boolean {
  const open = random.below(8) > 0;
  const menvcfg = BigInt(random.below(4)) << 61n;
  const [sum, mxr] = [random.below(2) === 1, random.below(2) === 1];
  const satp = satpFor(random.pick([0, 8, 8, 8, 9, 10]), random.below(4), table(random.below(8)));
  const privilege = random.pick([0, 1, 1, 3]);
  both(pair, (hart) => {
    hart.words[Slot.pmpcfg] = 0;
    hart.writeCsr(0x3b0, open ? -1n : BigInt(table(3)) >> 2n);
    hart.writeCsr(0x3b1, -1n);
    hart.writeCsr(0x3a0, open ? 0x1fn : 0x1f11n);
    hart.writeCsr(MENVCFG, menvcfg);
    hart.writeCsr(SSTATUS, (sum ? SUM : 0n) | (mxr ? MXR : 0n));
    hart.writeCsr(SATP, satp);
    enterMode(hart, privilege);
    hart.fenceAddresses(undefined, undefined);
  });
  const { memory } = pair.plain;
  const written: [bigint, bigint][] = [];
  const walk: Walk = {
    privilege,
    satp,
    sum,
    mxr,
    adue: (menvcfg & ADUE) !== 0n,
    pbmte: (menvcfg & PBMTE) !== 0n,
    pmpcfg: open ? [0x1f] : [0x11, 0x1f],
    pmpaddr: [open ? -1n : BigInt(table(3)) >> 2n, -1n].map((address) => BigInt.asUintN(54, address)),
    read: (address) => (memory.offsetOf(Number(address), 8) < 0 ? undefined : peek(memory, Number(address))),
    write: (address, value) => written.push([address, value]),
  };
  const access = random.pick(accesses);
  const log = access === "fetch" ? 1 : random.below(4);
  const likely = random.below(8) > 0 && satp >> 60n !== 0n;
  const address = (likely ? likelyAddress(random, Number(satp >> 60n)) : randomAddress(random)) & -BigInt(1 << log);
  const expected = oracleWalk(walk, address, access, 1 << log);
  const outside = "physical" in expected && memory.offsetOf(Number(expected.physical), 8) < 0;
  const bytes = access === "store" && !outside && "physical" in expected ? expected.physical : undefined;
  const old = bytes === undefined ? 0n : peek(memory, Number(bytes & ~7n));
  const came = both(pair, (hart, calls) => {
    const value = access === "load" ? calls.load(address, log) : access === "fetch" ? BigInt(calls.fetch(address)) : 0n;
    if (access === "store") calls.store(address, log, 0x1122_3344_5566_7788n);
    return { ...outcome(hart), value64: BigInt.asUintN(64, value) };
  });
  if (!outside) assert.equal(came.cause, "cause" in expected ? expected.cause : undefined, `${access} at ${address}`);
  for (const [at, value] of written) if (bytes === undefined) assert.equal(peek(memory, Number(at)), value);
  compareTlb(pair);
  compareState(pair);
  // A store may have hit the tables: undo it, so that they stay as random as they were.
  if (bytes !== undefined) both(pair, (_hart, _calls, machine) => poke(machine.memory, Number(bytes & ~7n), old));
  return came.cause === undefined && privilege !== Privilege.machine && !outside;
}

test("runtime: does whatever the hart would do, with anything that a guest does", () => {
  const random = new Random(seedOf("wasm hart"));
  let left = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const wild = round % 2 === 0;
    const pair = twins(wild ? random.pick(["machine", "supervisor"] as const) : "supervisor");
    const start = Array.from({ length: 4096 }, () => [random.below(0x2_0000), scribble(random)] as const);
    both(pair, (_hart, _calls, { memory }) => {
      for (const [at, value] of start) poke(memory, RAM_BASE + at * 8, value);
    });
    for (let step = 0; step < STEPS; step++) {
      act(pair, random, wild);
      compareState(pair);
      for (const { hart } of [pair.fast, pair.plain]) checkState(hart);
    }
    checkTlb(pair.fast.hart);
    compareMemory(pair);
    if (!wild) left += pair.runtime.leftToHart.csr + pair.runtime.leftToHart.system;
  }
  assert.ok(traps > 50, `only ${traps} exceptions were taken without the hart`);
  assert.ok(left < (ROUNDS / 2) * STEPS * 0.3, `${left} CSR accesses and system operations were left to the hart`);
});

function scribble(random: Random): bigint {
  const page = BigInt(RAM_BASE / 4096 + random.below(256));
  return random.pick([(page << 10n) | 1n, (page << 10n) | BigInt(random.below(256)), random.doubleword(), 0n]);
}

const hot = [0x100, 0x100, 0x100, 0x140, 0x141, 0x142, 0x143, 1, 2, 3, 0x340, 0x341];

/** One step of a guest that does anything (`wild`), or of one that does what kernels do. */
function act(pair: Twins, random: Random, wild: boolean): void {
  const kind = random.below(14);
  const [address, log, value, flag] = [randomPlace(random), random.below(4), random.doubleword(), random.below(2)];
  const number = !wild || random.below(3) > 0 ? random.pick(hot) : random.pick(csrDeclarations).number;
  const page = BigInt(RAM_BASE / 4096 + random.below(256));
  const written = random.pick([value, (BigInt(random.pick([0, 8, 9, 10])) << 60n) | page, 0n, -1n, 2n, SUM]);
  const [operation, suppress] = [random.below(csrOperations.length), random.below(4)];
  const usual = ["ecall", "sret", "cbo.zero"] as const;
  const system: SystemOperation = random.pick(wild ? [...usual, "mret", ...systemOperations] : usual);
  const [asid, line, ticks] = [random.pick([-1n, value]), random.pick([1, 3, 5, 7, 9, 11]), random.below(1000)];
  const help = wild && random.below(4) === 0;
  both(pair, (hart, calls, machine) => {
    let result: bigint | number | undefined;
    hart.words[Word.floatDirty] = flag;
    if (kind < 6) result = BigInt.asUintN(64, calls.csr(number, operation, suppress, BigInt.asIntN(64, written)));
    else if (kind === 6) result = BigInt.asUintN(64, calls.load(address, log));
    else if (kind === 7) calls.store(address, log, value);
    else if (kind === 8) result = calls.atomicAddress(address, 2 + flag, log & 1);
    else if (kind === 9) result = calls.fetch(address & ~1n);
    else if (kind < 13) calls.system(systemOperations.indexOf(system), address, asid);
    else {
      hart.setPending(line, flag === 1);
      machine.clock.advance(ticks);
      hart.updateTimer();
      hart.takeInterrupt();
    }
    const { signal, cause, value: tval } = outcome(hart);
    const taken = cause !== undefined && "leftToHart" in calls && calls.takeException() !== 0;
    if (cause !== undefined && !taken) hart.takeException();
    traps += taken ? 1 : 0;
    hart.beginSlice(1000);
    // Modes change only by traps and returns; help the lower ones to their share.
    if (help) hart.system(systemOperations.indexOf("mret"), 0n, 0n);
    hart.takeSignal();
    // A store may hit the tables, and then what is cached depends on who cached it when.
    const stores = kind === 7 || kind === 8 || system.startsWith("cbo");
    if (stores) hart.fenceAddresses(undefined, undefined);
    if (kind < 10 || system !== "ecall") return { result, signal, cause, tval };
    // The runtime takes the trap of a system call itself, and records no exception for that.
    hart.words.fill(0, Word.exceptionValue, Word.exceptionValue + 2);
    hart.words[Word.cause] = Cause.userCall;
    return undefined;
  });
}

function randomPlace(random: Random): bigint {
  switch (random.below(6)) {
    case 0:
      return random.doubleword();
    case 1:
      return BigInt.asUintN(64, BigInt(-random.below(0x1_0000)));
    case 2:
      return BigInt(DEVICE_BASE + random.below(0x1100));
    case 3:
      return BigInt(random.below(0x1000_0000));
    default:
      return BigInt(RAM_BASE + random.below(RAM_SIZE + 16) - 8);
  }
}
