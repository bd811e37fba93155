/** A processor over one hart that has nothing but flat RAM, for tests of generated code. */
import { type OracleState, systemOperations } from "@bulkhead/isa";
import { HartState, hartBase, Signal, TLB_ADDEND, TLB_ENTRIES, TLB_ENTRY_BYTES, TlbTag } from "../hart/layout.ts";
import { GuestMemory, RAM_BASE } from "../memory.ts";
import { type JitThreshold, type ProcessorHart, TranslatingProcessor } from "../translating-processor.ts";

/** A hart that has only flat RAM and whose call-outs tests may replace. */
export class FlatHart implements ProcessorHart {
  readonly #memory: GuestMemory;
  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }
  #offset = (address: bigint): number => Number(BigInt.asUintN(64, address)) - RAM_BASE + this.#memory.ramOffset;
  load(address: bigint, logBytes: number): bigint {
    const { view } = this.#memory;
    const at = this.#offset(address);
    if (logBytes === 0) return BigInt(view.getUint8(at));
    if (logBytes === 1) return BigInt(view.getUint16(at, true));
    return logBytes === 2 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true);
  }
  store(address: bigint, logBytes: number, value: bigint): void {
    const { view } = this.#memory;
    const at = this.#offset(address);
    if (logBytes === 0) view.setUint8(at, Number(value & 0xffn));
    else if (logBytes === 1) view.setUint16(at, Number(value & 0xffffn), true);
    else if (logBytes === 2) view.setUint32(at, Number(value & 0xffff_ffffn), true);
    else view.setBigUint64(at, value, true);
  }
  atomicAddress = (address: bigint): number => this.#offset(address);
  fetch = (address: bigint): number => this.#offset(address);
  csr: ProcessorHart["csr"] = () => 0n;
  /** The operations asked for, in order; each ends the run. */
  readonly operations: string[] = [];
  system(operation: number): void {
    this.operations.push(systemOperations[operation]!);
    this.signal(Signal.exception);
  }
  signal(value: number): void {
    this.#memory.view.setInt32(hartBase(0) + HartState.signal, value, true);
  }
  dropWriteTags(): void {}
}

export type TestState = Omit<OracleState, "memory">;

/**
 * A machine that runs one such hart. `tlb` says whether the pages of its RAM are in the TLB, `harts` for how many harts code
 * is generated.
 */
export class FlatMachine {
  readonly memory: GuestMemory;
  readonly hart: FlatHart;
  readonly #processor: TranslatingProcessor;
  readonly #base = hartBase(0);

  constructor(threshold: JitThreshold, tlb: boolean, harts = 1, profile = false) {
    this.memory = new GuestMemory(0x10000, harts);
    this.hart = new FlatHart(this.memory);
    this.#processor = new TranslatingProcessor(this.memory, [this.hart], { threshold, profile });
    const bank = this.#base + HartState.tlbs;
    const { view } = this.memory;
    view.setInt32(this.#base + HartState.dataTlb, bank, true);
    view.setInt32(this.#base + HartState.fetchTlb, bank, true);
    view.setInt32(this.#base + HartState.floatEnabled, 1, true);
    for (let i = 0; i < TLB_ENTRIES; i++) {
      const entry = bank + i * TLB_ENTRY_BYTES;
      const page = BigInt(RAM_BASE + i * 4096);
      const tag = tlb && i < 16 ? page : -1n;
      for (const at of Object.values(TlbTag)) {
        view.setBigInt64(entry + at, tag, true);
        view.setInt32(entry + at + TLB_ADDEND, (this.memory.ramOffset - RAM_BASE) | 0, true);
      }
    }
  }

  /** Bytes of RAM to put code in; what was translated from them is dropped. */
  code(address: number, length: number): DataView {
    this.#processor.written(address, length);
    const bytes = this.memory.writable(address, length)!;
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether the page of a physical address holds translated code. */
  holdsCode(address: number): boolean {
    return this.#processor.isCodePage(address / 4096);
  }

  /** A word of the hart's state, by its offset. */
  word(offset: number): number {
    return this.memory.view.getInt32(this.#base + offset, true);
  }

  setWord(offset: number, value: number): void {
    this.memory.view.setInt32(this.#base + offset, value, true);
  }

  /** Runs from a state until a signal or for `budget` instructions, and gives the state then. */
  run(state: TestState, budget = 10): TestState {
    const { view } = this.memory;
    for (let r = 0; r < 32; r++) {
      view.setBigUint64(this.#base + HartState.x + r * 8, state.x[r]!, true);
      view.setBigUint64(this.#base + HartState.f + r * 8, state.f[r]!, true);
    }
    view.setBigUint64(this.#base + HartState.pc, state.pc, true);
    view.setInt32(this.#base + HartState.frm, state.frm, true);
    view.setInt32(this.#base + HartState.fflags, state.fflags, true);
    view.setBigInt64(this.#base + HartState.reservation, state.reservation ?? -1n, true);
    if (state.reservation !== undefined) {
      view.setBigInt64(this.#base + HartState.reservationValue, this.hart.load(state.reservation, 3), true);
    }
    view.setInt32(this.#base + HartState.signal, 0, true);
    view.setInt32(this.#base + HartState.budget, budget, true);
    this.#processor.run(0);
    return {
      ...state,
      x: Array.from({ length: 32 }, (_, r) => view.getBigUint64(this.#base + HartState.x + r * 8, true)),
      f: Array.from({ length: 32 }, (_, r) => view.getBigUint64(this.#base + HartState.f + r * 8, true)),
      pc: view.getBigUint64(this.#base + HartState.pc, true),
      fflags: view.getInt32(this.#base + HartState.fflags, true),
    };
  }
}
