/**
 * The inner loop of a hart: from one jump target to the next, by the region translated for it or by the interpreter. It is
 * apart from the interpreter because V8 optimises a small function sooner and better.
 */
import { emitAnyInterrupt } from "../codegen/privilege.ts";
import { emitDeparture } from "../codegen/region-exit.ts";
import {
  emitChain,
  emitRegionOperands,
  emitTargetEntry,
  emitTargetHit,
  LEAVE,
  REGION_PARAMETERS,
  REGION_RESULTS,
} from "../codegen/target-probe.ts";
import { HART } from "../codegen/wasm-operations.ts";
import { HartState, Signal, TargetEntry } from "../hart/layout.ts";
import { Activity } from "../profile/activity.ts";
import { emitActivity } from "../profile/emit-activity.ts";
import { type FunctionBuilder, Memory, type ModuleBuilder, Op, ValueType } from "../wasm/index.ts";
import { emitLocate } from "./fetch.ts";
import { emitKnownTarget, emitMeeting, type Threshold } from "./meeting.ts";

const { i32, i64 } = ValueType;

/** How many wasm calls deep guest calls may go: their frames have to fit in the smallest stack that hosts give a thread. */
export const MAX_DEPTH = 256;

/** Indices of the functions that the loop calls. */
export interface RunCalls {
  readonly interpret: number;
  /** `miss(hart, pc, offset)`, see `interpreterModule`. */
  readonly miss: number;
  readonly fetch: number;
  /** `sample(region)` hears now and then of the index of a region that is entered. */
  readonly sample: number;
  /** Of the runtime module. */
  readonly takeException: number;
}

/** Of how many entries into regions that are not hot one is reported to `sample`, which finds those that are. */
export const SAMPLE_INTERVAL = 1024;

/** Parameters and result of `resume`. */
export const RESUME = { parameters: [i32, i32, i64, i64], results: [i64] } as const;

/** Parameters of `enter`. */
export const ENTER = { parameters: [i32, i32], results: [] } as const;

/** Parameters and result of `depart`. */
export const DEPART = { parameters: [i32, i32, i64, i32, i32], results: [i64] } as const;

/**
 * Writes the module's entrances:
 *  - `resume(hart, depth, pc, until)` executes from `pc` until control comes to `until`, which it gives back, or until all callers
 *    have to leave: then it gives the pc with `LEAVE`;
 *  - `run(hart)` executes from the hart's pc until a signal or the end of the budget;
 *  - `enter(hart, region)` hears now and then of a region that may become hot;
 *  - `depart(hart, depth, pc, exit, region)` leaves a region by an exit;
 *  - `retired(hart, depth, entry, pc)` stands in the table where a region was: it makes the target cache forget the pc.
 *
 * @param threshold how often a jump target is met before `miss` is asked for its region.
 * @param profile whether the hart is to say what it does.
 */
export function emitEntrances(module: ModuleBuilder, calls: RunCalls, threshold: Threshold, profile: boolean): void {
  const resume = module.function(RESUME.parameters, RESUME.results, "resume");
  const regionType = module.type(REGION_PARAMETERS, REGION_RESULTS);
  emitResume(resume, calls, regionType, threshold, profile);
  emitEnter(module.function(ENTER.parameters, ENTER.results, "enter"), calls.sample);
  emitDepart(module.function(DEPART.parameters, DEPART.results, "depart"), regionType, calls.sample);
  emitRun(module.function([i32], [], "run"), resume.index, calls.takeException, profile);
  emitRetired(module.function(REGION_PARAMETERS, REGION_RESULTS, "retired"));
}

function emitResume(
  b: FunctionBuilder,
  calls: RunCalls,
  regionType: number,
  threshold: Threshold,
  profile: boolean,
): void {
  const [depth, pc, until] = [1, 2, 3];
  const host = b.local(i32);
  const page = b.local(i64);
  const addend = b.local(i32);
  const [entry, target] = [b.local(i32), b.local(i32)];

  const leave = b.block();
  const next = b.loop();
  b.get(pc).get(until).op(Op.i64_eq).get(pc).op(Op.i32_wrap_i64).i32(Number(LEAVE)).op(Op.i32_and).op(Op.i32_or).if();
  b.get(pc).return().end();
  b.get(depth).i32(0).op(Op.i32_le_s);
  b.get(HART).memory(Memory.i32_load, HartState.budget).i32(0).op(Op.i32_lt_s).op(Op.i32_or).brIf(leave);

  const missed = b.block();
  b.get(HART).memory(Memory.i32_load, HartState.interpretNext).brIf(missed);
  emitTargetHit(b, pc, entry, missed);
  b.get(entry)
    .memory(Memory.i32_load, HartState.targets + TargetEntry.target)
    .set(target);
  emitRegionOperands(b, target, pc, () => b.get(depth).i32(1).op(Op.i32_sub));
  b.callIndirect(regionType).set(pc).br(next);
  b.end();

  if (profile) emitActivity(b, Activity.interpreter);
  b.i64(-1n).set(page);
  emitLocate(b, { pc, host, page, addend, leave }, calls.fetch);
  const cold = b.block();
  // Regions assume that the whole page may be executed.
  b.get(page).i64(-1n).op(Op.i64_eq);
  b.get(HART).memory(Memory.i32_load, HartState.interpretNext).op(Op.i32_or);
  b.get(HART).i32(0).memory(Memory.i32_store, HartState.interpretNext);
  b.brIf(cold);
  const translated = b.block();
  const meeting = { host, address: b.local(i32) };
  emitKnownTarget(b, meeting);
  b.tee(target).brIf(translated);
  emitMeeting(b, meeting, cold, threshold);
  b.get(HART).get(pc).get(host).call(calls.miss).tee(target).brIf(translated);
  b.br(cold).end();
  emitTargetEntry(b, pc, entry);
  b.get(pc).memory(Memory.i64_store, HartState.targets + TargetEntry.tag);
  b.get(entry)
    .get(HART)
    .memory(Memory.i32_load, HartState.fetchSpace)
    .memory(Memory.i32_store, HartState.targets + TargetEntry.space);
  b.get(entry)
    .get(target)
    .memory(Memory.i32_store, HartState.targets + TargetEntry.target);
  b.br(next).end();

  b.get(HART).get(pc).memory(Memory.i64_store, HartState.pc);
  b.get(HART).get(page).get(addend).get(until).call(calls.interpret);
  b.get(HART).memory(Memory.i64_load, HartState.pc).set(pc);
  b.op(Op.i32_eqz).brIf(next);
  b.br(leave);
  b.end().end();
  b.get(pc).i64(LEAVE).op(Op.i64_or);
}

function emitRun(b: FunctionBuilder, resume: number, takeException: number, profile: boolean): void {
  const again = b.loop();
  b.get(HART);
  // No pc is odd, so that nothing but having to leave ends this.
  b.get(HART).i32(MAX_DEPTH).get(HART).memory(Memory.i64_load, HartState.pc).i64(LEAVE).call(resume);
  b.i64(~LEAVE).op(Op.i64_and).memory(Memory.i64_store, HartState.pc);
  b.get(HART).memory(Memory.i32_load, HartState.signal).i32(Signal.exception).op(Op.i32_eq).if();
  if (profile) emitActivity(b, Activity.exit);
  b.get(HART).call(takeException).op(Op.drop);
  b.end();
  // Returns from traps and new address spaces go on here too, unless an interrupt may be due.
  b.get(HART).memory(Memory.i32_load, HartState.signal).i32(Signal.jumped).op(Op.i32_eq);
  b.get(HART).memory(Memory.i32_load, HartState.signal).i32(Signal.leave).op(Op.i32_eq);
  b.get(HART).memory(Memory.i32_load, HartState.goesOn).op(Op.i32_and).op(Op.i32_or).if();
  emitAnyInterrupt(b);
  b.op(Op.i32_eqz).if();
  b.get(HART).i32(Signal.none).memory(Memory.i32_store, HartState.signal);
  b.end().end();
  // Without a reason to stop, it was the depth of calls.
  b.get(HART).memory(Memory.i32_load, HartState.signal).op(Op.i32_eqz);
  b.get(HART).memory(Memory.i32_load, HartState.budget).i32(0).op(Op.i32_ge_s).op(Op.i32_and).brIf(again);
  b.end();
}

function emitEnter(b: FunctionBuilder, sample: number): void {
  const region = 1;
  b.get(HART).i32(SAMPLE_INTERVAL).memory(Memory.i32_store, HartState.sampleIn).get(region).call(sample);
}

function emitDepart(b: FunctionBuilder, regionType: number, sample: number): void {
  const [pc, exit, region] = [2, 3, 4];
  // What runs when the budget ends is probably hot.
  b.get(HART).memory(Memory.i32_load, HartState.budget).i32(0).op(Op.i32_lt_s).if();
  b.get(region).call(sample).end();
  emitDeparture(b, pc, exit);
  emitChain(b, pc, regionType);
}

function emitRetired(b: FunctionBuilder): void {
  const pc = 3;
  emitTargetEntry(b, pc, b.local(i32));
  b.i64(-1n).memory(Memory.i64_store, HartState.targets + TargetEntry.tag);
  b.get(pc);
}
