/**
 * Instruction semantics for a translated region: guest registers are locals, operands are constants. A region takes the
 * state from memory where it is entered and behind calls, and puts what it has changed back wherever it is left.
 */
import { Expression } from "../codegen/expression.ts";
import { Exit, emitExitOffset, emitUnspent, packExit } from "../codegen/region-exit.ts";
import type { RuntimeImports } from "../codegen/runtime-functions.ts";
import { DEPTH, emitChain, emitRegionOperands, emitTargetHit } from "../codegen/target-probe.ts";
import { emitTlbEntry } from "../codegen/tlb-probe.ts";
import { HART, WasmOperations } from "../codegen/wasm-operations.ts";
import { HartState, TargetEntry, TLB_ADDEND, TlbTag } from "../hart/layout.ts";
import { PAGE_SIZE } from "../memory.ts";
import { Activity } from "../profile/activity.ts";
import { emitActivity, emitPlace } from "../profile/emit-activity.ts";
import { type FunctionBuilder, type Label, Memory, Op, ValueType } from "../wasm/index.ts";
import type { Step } from "./control-flow.ts";
import type { FloatUse } from "./float-use.ts";
import type { Ending } from "./instruction-word.ts";
import { CLEAN, type crossing, DATA_TLB, type Segment } from "./liveness.ts";
import { EMPTY, intersects, type RegisterSet, union } from "./register-set.ts";

/** Parameters of a region behind the depth: which entry it is entered at, and the pc there. */
export const ENTRY = 2;
const PC = 3;

/** What is known of a region's code before it is emitted. */
export interface RegionTraits {
  readonly float: FloatUse;
  /** Loads whose latency counts. */
  readonly awaited: ReadonlySet<Step>;
  readonly segments: ReadonlySet<Segment>;
  /** Numbers of the entries, by their offsets from the home page. */
  readonly entries: ReadonlyMap<number, number>;
}

/** Indices that regions need in their module. */
export interface RegionImports {
  readonly runtime: RuntimeImports;
  /** `resume(hart, depth, pc, until)`: goes on at `pc` until control comes to `until`, or has to leave. */
  readonly resume: number;
  /** `enter(hart, region)`: to be called when `HartState.sampleIn` has gone below 0. */
  readonly enter: number;
  /** `depart(hart, depth, pc, exit, region)` leaves by an exit; the state is in memory. */
  readonly depart: number;
  readonly regionType: number;
  /** Whether regions are to say where the hart is. */
  readonly profile: boolean;
  /** Its own index in the table. */
  readonly index: number;
  /** Whether calls are to be fast rather than short. */
  readonly isHot: boolean;
}

export class RegionOperations extends WasmOperations<number> {
  readonly #regions: RegionImports;
  readonly #entries: RegionTraits["entries"];
  readonly #x: number[] = [];
  readonly #f: number[] = [];
  /** i32 locals of integer registers, for as long as they hold words. */
  readonly #words: number[] = [];
  /** Registers whose value is in `#words` and not in `#x`; those whose value in `#x` is a sign-extended word. */
  #inWords = 0;
  #fitting = 0;
  /** Registers of `#f` whose locals are doubles, see `FloatUse`. */
  readonly #doubles: number;
  /** Virtual address of the home page's start: regions are keyed by physical page and run wherever it is mapped. */
  readonly #home: number;
  readonly #budget: number;
  /** What the exits are told, as `packExit` does it. */
  readonly #exit: number;
  readonly #segments: readonly Segment[];
  /** Labels of the code that leaves each segment, and of what comes behind all of it. */
  readonly #labels = new Map<Segment, Label>();
  readonly #tail: Label;
  readonly #left = new Set<Segment>();
  readonly #awaited: ReadonlySet<Step>;
  /** What the TLB said last to add to addresses, by the register that they came from: an i32 local. */
  readonly #addends: number[] = [];
  #step: Step | undefined;
  #segment: Segment = CLEAN;
  #tlb = -1;
  #offset = 0;
  #length = 0;
  /** The number of the region's own entry that the instruction calls, if it does. */
  #callee: number | undefined;
  #ending: Ending = "next";
  /** Instructions of the block behind the current one, which the budget has already been charged for. */
  #remaining = 0;
  /** Registers whose locals are newer than the hart's state. */
  #dirty: RegisterSet = EMPTY;
  /** Registers that the block will write anew before anyone looks at the hart's state. */
  #overwritten: RegisterSet = EMPTY;
  #floatChecked = false;
  #floatMarked = false;

  /** Begins a function's body; `finish` ends it. */
  constructor(b: FunctionBuilder, regions: RegionImports, { float, awaited, segments, entries }: RegionTraits) {
    super(b, regions.runtime, float.rounds ? "inline" : "calls");
    this.#awaited = awaited;
    this.#entries = entries;
    this.#doubles = float.doubles;
    this.#regions = regions;
    this.#home = b.local(ValueType.i64);
    this.#budget = b.local(ValueType.i32);
    this.#exit = b.local(ValueType.i64);
    this.#segments = [...segments];
    this.#tail = b.block();
    for (const segment of this.#segments.toReversed()) this.#labels.set(segment, b.block());
  }

  /** Begins at an entry, whose offset from the home page is given. */
  enter(offset: number, live: RegisterSet): void {
    const { b } = this;
    b.get(PC);
    if (offset !== 0) b.i64(BigInt(offset)).op(Op.i64_sub);
    b.set(this.#home);
    this.reload(live);
    this.mark(offset);
  }

  /** What is emitted next leaves the region as blocks of this segment do. */
  within(segment: Segment): void {
    this.#segment = segment;
  }

  /** Takes registers and what else is kept in locals from memory. */
  reload(registers: RegisterSet): void {
    this.b.get(HART).memory(Memory.i32_load, HartState.budget).set(this.#budget);
    this.inlineFloat?.load();
    if ((registers.x & DATA_TLB) !== 0) this.#loadDataTlb();
    this.#load(registers);
  }

  /** Goes from one segment to another, behind a block. */
  cross({ store, load }: ReturnType<typeof crossing>): void {
    this.#store(store);
    this.#load(load);
  }

  #load({ x, f }: RegisterSet): void {
    const { b } = this;
    for (let r = 1; r < 32; r++) {
      if (((x >>> r) & 1) !== 0)
        b.get(HART)
          .memory(Memory.i64_load, HartState.x + r * 8)
          .set(this.#local(this.#x, r));
    }
    for (let r = 0; r < 32; r++) {
      if (((f >>> r) & 1) !== 0)
        b.get(HART)
          .memory(this.#isDouble(r) ? Memory.f64_load : Memory.i64_load, HartState.f + r * 8)
          .set(this.#floatLocal(r));
    }
  }

  /** Says, while a profile is taken, that the hart runs translated code at an offset from the home page. */
  mark(offset: number): void {
    if (!this.#regions.profile) return;
    emitActivity(this.b, Activity.translated);
    emitPlace(this.b, () => this.#at(offset).emit(this.b));
  }

  /** Charges the budget for a block of `count` instructions. */
  beginBlock(count: number, dirty: RegisterSet): void {
    this.b.get(this.#budget).i32(count).op(Op.i32_sub).set(this.#budget);
    this.#remaining = count;
    this.#dirty = dirty;
    this.#inWords = 0;
    this.#fitting = 0;
    this.#floatChecked = false;
    this.#floatMarked = false;
  }

  /**
   * Emits one instruction. The last of a block says how the block ends: a branch leaves its condition on the stack, a call
   * is made and has come back, and where the block goes by itself the code behind is not reached.
   * @param overwritten registers that the block will write anew before anyone looks at the hart's state.
   */
  emit(step: Step, ending: Ending, overwritten: RegisterSet): void {
    const { decoded, offset } = step;
    this.#step = step;
    this.#offset = offset;
    this.#overwritten = overwritten;
    this.#length = decoded.length;
    this.#ending = ending;
    this.#callee = ending === "call" ? this.#entryCalled(step) : undefined;
    this.#remaining--;
    this.instruction(decoded.instruction, decoded, step.traits);
  }

  /** Leaves the region for an offset from the home page. */
  exit(offset: number): void {
    this.#leave(Exit.chain, offset);
  }

  /** Leaves for `offset` if the budget has ended; for back edges. */
  exitOnBudget(offset: number): void {
    const { b } = this;
    b.get(this.#budget).i32(0).op(Op.i32_lt_s).hint("unlikely").if();
    this.#leave(Exit.leave, offset);
    b.end();
  }

  /** Leaves for `offset` unless instruction fetch finds a page, counted from the home page, where it was translated from. */
  guard(page: number, hostPage: number, offset: number): void {
    const { b } = this;
    const [address, entry] = [b.temporary(ValueType.i64), b.temporary(ValueType.i32)];
    this.#at(page * PAGE_SIZE).emit(b);
    b.set(address);
    emitTlbEntry(b, address, entry, () => b.get(HART).memory(Memory.i32_load, HartState.fetchTlb));
    b.memory(Memory.i64_load, TlbTag.execute).get(address).op(Op.i64_ne);
    b.get(entry)
      .memory(Memory.i32_load, TlbTag.execute + TLB_ADDEND)
      .get(address)
      .op(Op.i32_wrap_i64)
      .op(Op.i32_add);
    b.i32(hostPage).op(Op.i32_ne).op(Op.i32_or).hint("unlikely").if();
    this.#leave(Exit.interpret, offset);
    b.end();
    b.releaseTemporaries();
  }

  /** Begins the function: one that may become hot counts how often it is entered. */
  begin(): void {
    const { b } = this;
    if (this.#regions.isHot) return;
    b.get(HART).get(HART).memory(Memory.i32_load, HartState.sampleIn).i32(1).op(Op.i32_sub);
    b.memory(Memory.i32_store, HartState.sampleIn);
    b.get(HART).memory(Memory.i32_load, HartState.sampleIn).i32(0).op(Op.i32_lt_s).hint("unlikely").if();
    b.get(HART).i32(this.#regions.index).call(this.#regions.enter).end();
  }

  /** Ends the function: how it is left from each segment, with what the exits were told. */
  finish(): void {
    const { b } = this;
    b.op(Op.unreachable);
    for (const segment of this.#segments) {
      b.end();
      if (this.#left.has(segment)) {
        this.#store(segment.kept);
        b.br(this.#tail);
      }
    }
    b.op(Op.unreachable).end();
    b.get(HART).get(this.#budget);
    emitUnspent(b, this.#exit);
    b.op(Op.i32_add).memory(Memory.i32_store, HartState.budget);
    b.get(HART).get(DEPTH).get(this.#home);
    emitExitOffset(b, this.#exit);
    b.op(Op.i64_add).get(this.#exit).op(Op.i32_wrap_i64).i32(this.#regions.index).returnCall(this.#regions.depart);
  }

  x(register: number): Expression {
    if (register === 0) return Expression.integer(0);
    if (this.#has(this.#inWords, register)) return Expression.wordLocal(this.#words[register]!);
    const value = Expression.local(this.#local(this.#x, register));
    return this.#has(this.#fitting, register) ? value.fitting() : value;
  }

  setX(register: number, value: Expression): void {
    if (register === 0) return;
    const bit = 1 << register;
    if (value.kind === "word") {
      value.emitNarrow(this.b);
      this.#words[register] ??= this.b.local(ValueType.i32);
      this.b.set(this.#words[register]);
      this.#inWords |= bit;
    } else {
      value.emit(this.b);
      this.b.set(this.#local(this.#x, register));
      this.#inWords &= ~bit;
      this.#fitting = value.isWord ? this.#fitting | bit : this.#fitting & ~bit;
    }
    this.#written({ x: bit, f: 0 });
  }

  f(register: number): Expression {
    const local = this.#floatLocal(register);
    return this.#isDouble(register) ? Expression.double(local) : Expression.local(local);
  }

  setF(register: number, value: Expression): void {
    if (this.#isDouble(register)) value.emitDouble(this.b);
    else value.emit(this.b);
    this.b.set(this.#floatLocal(register));
    this.#written({ x: 0, f: 1 << register });
    if (this.#floatMarked) return;
    this.b.get(HART).i32(1).memory(Memory.i32_store, HartState.floatDirty);
    this.#floatMarked = true;
  }

  /** Notes that a register's local has been written, or writes it through. */
  #written(register: RegisterSet): void {
    const { through } = this.#segment;
    if (!intersects(register, through)) this.#dirty = union(this.#dirty, register);
    else if (!intersects(register, this.#overwritten)) this.#store(register);
  }

  isX0 = (register: number) => Expression.integer(register === 0 ? 1 : 0);
  immediate = (field: number) => Expression.integer(field);
  pc = () => this.#at(this.#offset);
  nextPc = () => this.#at(this.#offset + this.#length);

  jump(target: Expression): void {
    if (this.#ending === "jump") return;
    target.emit(this.b);
    this.b.set(PC);
    this.endBlock();
    this.#store(this.#dirty);
    this.b.get(HART).get(this.#budget).memory(Memory.i32_store, HartState.budget);
    if (this.#ending === "call") this.#call();
    else if (this.#ending === "return") this.b.get(PC).return();
    else emitChain(this.b, PC, this.#regions.regionType);
  }

  branch(condition: Expression): void {
    condition.emitCondition(this.b);
  }

  protected override get isShort(): boolean {
    // A profile tells accesses that miss the TLB from translated code by the call-out.
    return !this.#regions.isHot && !this.#regions.profile;
  }

  protected emitField(field: number): void {
    this.b.i32(field);
  }

  protected override emitDataTlb(): void {
    this.b.get(this.#tlb);
  }

  protected spill(): void {
    const { b } = this;
    b.get(HART);
    this.pc().emit(b);
    b.memory(Memory.i64_store, HartState.pc);
    b.get(HART).get(this.#budget).i32(this.#remaining).op(Op.i32_add).memory(Memory.i32_store, HartState.budget);
  }

  /** It works on registers in the hart's state, which a region does not keep there: `control-flow.ts` leaves it out. */
  override compareExchangePair(): void {
    throw new Error("an instruction on registers in memory was translated");
  }

  protected override get expectedAddend(): number | undefined {
    if (this.#step === undefined || !this.#awaited.has(this.#step)) return undefined;
    const { rs1 } = this.#step.decoded;
    this.#addends[rs1] ??= this.b.local(ValueType.i32);
    return this.#addends[rs1];
  }

  protected statusRead(): void {
    this.inlineFloat?.load();
    if (this.#tlb >= 0) this.#loadDataTlb();
    this.#floatChecked = false;
    this.#floatMarked = false;
  }

  protected leaveIf(): void {
    this.b.hint("unlikely").if();
    this.#leave(Exit.leave, this.#offset, this.#remaining);
    this.b.end();
  }

  protected leaveOnSignal(): void {
    this.b.get(HART).memory(Memory.i32_load, HartState.signal).hint("unlikely").if();
    this.#leave(this.#length === 2 ? Exit.behind2 : Exit.behind4, this.#offset, this.#remaining);
    this.b.end();
  }

  protected requireFloat(): void {
    if (this.#floatChecked) return;
    this.#floatChecked = true;
    if (this.inlineFloat !== undefined) {
      this.inlineFloat.requireEnabled();
      return;
    }
    this.b.get(HART).memory(Memory.i32_load, HartState.floatEnabled).op(Op.i32_eqz).hint("unlikely").if();
    this.system("illegal", this.constant(0n), this.constant(0n));
    this.b.end();
  }

  /** The number of the entry that an instruction calls on its own page, which is known to be where it was translated from. */
  #entryCalled({ traits, decoded, offset }: Step): number | undefined {
    const target = offset + decoded.imm;
    return traits.flow === "jump" && target >> 12 === offset >> 12 ? this.#entries.get(target) : undefined;
  }

  /** Calls the region at the pc, and goes on when it has come back to the next instruction. */
  #call(): void {
    if (this.#regions.isHot) this.#callInline();
    else {
      this.b.get(HART).get(DEPTH).get(PC);
      this.nextPc().emit(this.b);
      this.b.call(this.#regions.resume).tee(PC);
      this.#returnUnlessNext();
    }
    this.#dirty = EMPTY;
  }

  #callInline(): void {
    const { b } = this;
    const emitDepth = (): void => {
      b.get(DEPTH).i32(1).op(Op.i32_sub);
    };
    const missed = b.block();
    b.get(DEPTH).i32(0).op(Op.i32_le_s).hint("unlikely").brIf(missed);
    if (this.#callee !== undefined) {
      b.get(HART);
      emitDepth();
      b.i32(this.#callee).get(PC).callItself().set(PC);
    } else {
      const [entry, target] = [b.temporary(ValueType.i32), b.temporary(ValueType.i32)];
      emitTargetHit(b, PC, entry, missed);
      b.get(entry)
        .memory(Memory.i32_load, HartState.targets + TargetEntry.target)
        .set(target);
      emitRegionOperands(b, target, PC, emitDepth);
      b.callIndirect(this.#regions.regionType).set(PC);
    }
    b.end();
    b.get(PC);
    this.nextPc().emit(b);
    b.op(Op.i64_ne).hint("unlikely").if();
    b.get(HART).get(DEPTH).get(PC);
    this.nextPc().emit(b);
    b.call(this.#regions.resume).tee(PC);
    this.#returnUnlessNext();
    b.end();
  }

  /** Leaves with the pc on the stack, which is also in its local, if it is not the next instruction's. */
  #returnUnlessNext(): void {
    this.nextPc().emit(this.b);
    this.b.op(Op.i64_ne).hint("unlikely").if();
    this.b.get(PC).return().end();
  }

  /** Ends a block: what comes behind finds registers in their i64 locals. */
  endBlock(): void {
    this.#widen();
    this.#inWords = 0;
  }

  /** Brings registers that are words into their i64 locals. */
  #widen(): void {
    for (let r = 1; r < 32; r++) {
      if (!this.#has(this.#inWords & ~this.#segment.through.x, r)) continue;
      this.b.get(this.#words[r]!).op(Op.i64_extend_i32_s).set(this.#local(this.#x, r));
    }
  }

  #has = (set: number, register: number): boolean => ((set >>> register) & 1) !== 0;

  /** Leaves by the code of the current segment. @param unspent instructions that the budget was charged for and that will not run. */
  #leave(exit: Exit, offset: number, unspent = 0): void {
    this.#left.add(this.#segment);
    this.#widen();
    this.b
      .integer(packExit(exit, offset, unspent))
      .set(this.#exit)
      .br(this.#labels.get(this.#segment)!);
  }

  #store({ x, f }: RegisterSet): void {
    const { b } = this;
    for (let r = 1; r < 32; r++) {
      if (!this.#has(x, r)) continue;
      b.get(HART);
      this.x(r).emit(b);
      b.memory(Memory.i64_store, HartState.x + r * 8);
    }
    for (let r = 0; r < 32; r++) {
      if (((f >>> r) & 1) !== 0)
        b.get(HART)
          .get(this.#floatLocal(r))
          .memory(this.#isDouble(r) ? Memory.f64_store : Memory.i64_store, HartState.f + r * 8);
    }
  }

  #loadDataTlb(): void {
    if (this.#tlb < 0) this.#tlb = this.b.local(ValueType.i32);
    this.b.get(HART).memory(Memory.i32_load, HartState.dataTlb).set(this.#tlb);
  }

  #local(file: number[], register: number): number {
    file[register] ??= this.b.local(ValueType.i64);
    return file[register];
  }

  #floatLocal(register: number): number {
    this.#f[register] ??= this.b.local(this.#isDouble(register) ? ValueType.f64 : ValueType.i64);
    return this.#f[register];
  }

  #isDouble = (register: number): boolean => ((this.#doubles >>> register) & 1) !== 0;

  #at(offset: number): Expression {
    return this.add(Expression.local(this.#home), Expression.constant(BigInt(offset)));
  }
}
