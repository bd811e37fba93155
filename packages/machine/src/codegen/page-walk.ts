/**
 * Address translation as WebAssembly: the walk for what guests do all the time, and the TLB entry that it leaves, exactly
 * as `Mmu` and `TlbBank` do it. All else (faults, devices, PMP, Svnapot, Svpbmt, pages with translated code) is theirs.
 * @spec privileged "Virtual Address Translation Process". Who calls it: the other functions of the runtime module.
 */
import { BankState, CODE_FILTER_BITS, CODE_MAP, HartState, TLB_ADDEND, TlbTag } from "../hart/layout.ts";
import { EXECUTE, READ, WRITE } from "../hart/pmp.ts";
import { PAGE_MAP, RAM_BASE } from "../memory.ts";
import { NOT_HERE } from "../page-map.ts";
import { Atomic, type FunctionBuilder, type Label, Memory, Op, ValueType } from "../wasm/index.ts";
import { emitTlbEntry } from "./tlb-probe.ts";

const { i32, i64 } = ValueType;

/** Bits of a page-table entry. */
const Pte = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, A: 64n, D: 128n } as const;
const LEAF = Pte.R | Pte.W | Pte.X;
/** From here on, bits are N, PBMT or reserved. */
const FIRST_SPECIAL_BIT = 54n;
const PPN_SHIFT = 10n;
/** What a page without translation permits: all. */
const BARE = LEAF | Pte.A | Pte.D;
/** Addend of an entry that has not been used. */
const UNUSED = -1;

const [HART, ADDRESS] = [0, 1];

class PageWalk {
  readonly #b: FunctionBuilder;
  readonly #access: number;
  readonly #slow: Label;
  readonly #mapped: boolean;
  readonly #bank: number;
  /** The leaf entry, where it lies, and log2 of the bytes that it maps. */
  readonly #leaf: number;
  readonly #at: number;
  readonly #shift: number;
  /** Offset of the page in RAM. */
  readonly #page: number;
  /** The same of the last table, where that is asked for. */
  readonly #table: number;

  constructor(b: FunctionBuilder, access: number, slow: Label, mapped: boolean) {
    this.#b = b;
    this.#access = access;
    this.#slow = slow;
    this.#mapped = mapped;
    [this.#bank, this.#at] = [b.local(i32), b.local(i32)];
    [this.#leaf, this.#shift, this.#page] = [b.local(i64), b.local(i64), b.local(i64)];
    this.#table = mapped ? b.local(i64) : -1;
  }

  emit(): void {
    const b = this.#b;
    const levels = b.local(i32);
    b.get(HART).memory(Memory.i32_load, this.#access === EXECUTE ? HartState.fetchTlb : HartState.dataTlb);
    b.tee(this.#bank).memory(Memory.i32_load, BankState.levels).tee(levels);
    b.i32(0).op(Op.i32_lt_s).brIf(this.#slow);
    b.i64(12n).set(this.#shift);
    b.get(levels).if();
    this.#walk(levels);
    this.#checkLeaf();
    this.#update();
    this.#locate();
    b.else();
    b.i64(BARE).set(this.#leaf);
    b.get(ADDRESS).i64(-4096n).op(Op.i64_and).i64(BigInt(RAM_BASE)).op(Op.i64_sub).set(this.#page);
    b.end();
    b.get(this.#page);
    this.#requireRam();
    this.#requirePermission(this.#page, this.#access);
    this.#install();
  }

  #slowIf(): void {
    this.#b.brIf(this.#slow);
  }

  #field(offset: number): FunctionBuilder {
    return this.#b.get(this.#bank).memory(Memory.i32_load, offset);
  }

  /** Leaves whether the leaf has one of some bits. */
  #has(bits: bigint): FunctionBuilder {
    return this.#b.get(this.#leaf).i64(bits).op(Op.i64_and).i64(0n).op(Op.i64_ne);
  }

  /** With an offset from the start of RAM on the stack. */
  #requireRam(): void {
    this.#b.get(HART).memory(Memory.i64_load32_u, HartState.ramSize).op(Op.i64_ge_u);
    this.#slowIf();
  }

  /** The page of an offset from the start of RAM, in a local, has to be in memory, and known to be written for a write. */
  #requirePermission(offset: number, access: number): void {
    if (!this.#mapped) return;
    const b = this.#b;
    b.get(offset).i64(12n).op(Op.i64_shr_u).op(Op.i32_wrap_i64).atomic(Atomic.i32_load8_u, 0, PAGE_MAP);
    if (access !== WRITE) b.i32(NOT_HERE).op(Op.i32_and);
    this.#slowIf();
  }

  /** Finds the leaf entry. */
  #walk(levels: number): void {
    const b = this.#b;
    const table = b.local(i64);
    const [leaf, shift] = [this.#leaf, this.#shift];
    b.get(levels).op(Op.i64_extend_i32_u).i64(9n).op(Op.i64_mul).i64(12n).op(Op.i64_add).set(shift);
    // The bits above must all equal the topmost one.
    b.get(ADDRESS).i64(64n).get(shift).op(Op.i64_sub).op(Op.i64_shl);
    b.i64(64n).get(shift).op(Op.i64_sub).op(Op.i64_shr_s).get(ADDRESS).op(Op.i64_ne);
    this.#slowIf();
    b.get(this.#bank).memory(Memory.i64_load, BankState.root).set(table);
    const next = b.loop();
    b.get(shift).i64(9n).op(Op.i64_sub).set(shift);
    b.get(table).i64(BigInt(RAM_BASE)).op(Op.i64_sub).tee(table);
    this.#requireRam();
    this.#requirePermission(table, READ);
    if (this.#mapped) b.get(table).set(this.#table);
    b.get(table).op(Op.i32_wrap_i64).get(HART).memory(Memory.i32_load, HartState.ramOffset).op(Op.i32_add);
    b.get(ADDRESS).get(shift).op(Op.i64_shr_u).i64(511n).op(Op.i64_and).op(Op.i32_wrap_i64).i32(3).op(Op.i32_shl);
    b.op(Op.i32_add).tee(this.#at).atomic(Atomic.i64_load, 3).tee(leaf);
    b.i64(FIRST_SPECIAL_BIT).op(Op.i64_shr_u).i64(0n).op(Op.i64_ne);
    b.get(leaf).i64(Pte.V).op(Op.i64_and).op(Op.i64_eqz).op(Op.i32_or);
    this.#slowIf();
    this.#has(LEAF).op(Op.i32_eqz).if();
    this.#has(Pte.U | Pte.A | Pte.D)
      .get(shift)
      .i64(12n)
      .op(Op.i64_eq)
      .op(Op.i32_or);
    this.#slowIf();
    b.get(leaf).i64(PPN_SHIFT).op(Op.i64_shr_u).i64(12n).op(Op.i64_shl).set(table);
    b.br(next).end().end();
  }

  /** Whether the leaf permits the access, and is one. */
  #checkLeaf(): void {
    const b = this.#b;
    b.get(this.#leaf)
      .i64(Pte.R | Pte.W)
      .op(Op.i64_and)
      .i64(Pte.W)
      .op(Op.i64_eq);
    if (this.#access === READ) this.#readable().op(Op.i32_eqz);
    else this.#has(this.#access === WRITE ? Pte.W : Pte.X).op(Op.i32_eqz);
    b.op(Op.i32_or);
    b.get(this.#leaf).op(Op.i32_wrap_i64);
    this.#field(BankState.userMask).op(Op.i32_and);
    this.#field(BankState.user).op(Op.i32_ne).op(Op.i32_or);
    // A superpage starts at a multiple of its size.
    b.get(this.#leaf).i64(PPN_SHIFT).op(Op.i64_shr_u).i64(12n).op(Op.i64_shl);
    this.#within().op(Op.i64_and).i64(0n).op(Op.i64_ne).op(Op.i32_or);
    this.#slowIf();
  }

  /** Leaves the mask of the offset within what the leaf maps. */
  #within(): FunctionBuilder {
    return this.#b.i64(1n).get(this.#shift).op(Op.i64_shl).i64(1n).op(Op.i64_sub);
  }

  #readable(): FunctionBuilder {
    this.#b.get(this.#leaf).op(Op.i32_wrap_i64);
    return this.#field(BankState.readable).op(Op.i32_and).i32(0).op(Op.i32_ne);
  }

  /** Sets A and D where the access needs them, unless someone else has changed the entry. */
  #update(): void {
    const b = this.#b;
    const updated = b.local(i64);
    const wanted = this.#access === WRITE ? Pte.A | Pte.D : Pte.A;
    b.get(this.#leaf).i64(wanted).op(Op.i64_or).tee(updated).get(this.#leaf).op(Op.i64_ne).if();
    this.#field(BankState.updates).op(Op.i32_eqz);
    b.get(this.#at).get(HART).memory(Memory.i32_load, HartState.ramOffset).op(Op.i32_sub);
    this.#holdsCode().op(Op.i32_or);
    this.#slowIf();
    this.#requirePermission(this.#table, WRITE);
    b.get(this.#at).get(this.#leaf).get(updated).atomic(Atomic.i64_cmpxchg, 3).get(this.#leaf).op(Op.i64_ne);
    this.#slowIf();
    b.get(updated).set(this.#leaf).end();
  }

  /** With an offset from the start of RAM as an i32 on the stack: leaves its page's byte of the code map. */
  #holdsCode(): FunctionBuilder {
    return this.#b.i32(12).op(Op.i32_shr_u).memory(Memory.i32_load8_u, CODE_MAP);
  }

  /** The page of the address within what the leaf maps. */
  #locate(): void {
    const b = this.#b;
    b.get(this.#leaf).i64(PPN_SHIFT).op(Op.i64_shr_u).i64(12n).op(Op.i64_shl);
    b.get(ADDRESS);
    this.#within().op(Op.i64_and).op(Op.i64_or).i64(-4096n).op(Op.i64_and);
    b.i64(BigInt(RAM_BASE)).op(Op.i64_sub).set(this.#page);
  }

  /** Makes the TLB entry, and leaves where the page lies in the memory. */
  #install(): void {
    const b = this.#b;
    const [tag, host, entry] = [b.local(i64), b.local(i32), b.local(i32)];
    const table = { [READ]: TlbTag.read, [WRITE]: TlbTag.write, [EXECUTE]: TlbTag.execute }[this.#access]!;
    if (this.#access === WRITE) {
      b.get(this.#page).op(Op.i32_wrap_i64);
      this.#holdsCode();
      this.#slowIf();
    }
    b.get(ADDRESS).i64(-4096n).op(Op.i64_and).set(tag);
    b.get(this.#page)
      .op(Op.i32_wrap_i64)
      .get(HART)
      .memory(Memory.i32_load, HartState.ramOffset)
      .op(Op.i32_add)
      .set(host);
    emitTlbEntry(b, ADDRESS, entry, () => b.get(this.#bank));
    b.memory(Memory.i32_load, table + TLB_ADDEND)
      .i32(UNUSED)
      .op(Op.i32_eq)
      .if();
    this.#list(entry, table);
    b.end();
    b.get(entry).get(tag).memory(Memory.i64_store, table);
    b.get(entry)
      .get(host)
      .get(tag)
      .op(Op.i32_wrap_i64)
      .op(Op.i32_sub)
      .memory(Memory.i32_store, table + TLB_ADDEND);
    if (this.#access === EXECUTE) this.#noteCode();
    b.get(this.#shift).i64(12n).op(Op.i64_ne).if();
    this.#coverLarge();
    b.end();
    b.get(host);
  }

  /** Lists an entry that is used for the first time. */
  #list(entry: number, table: number): void {
    const b = this.#b;
    const count = b.local(i32);
    this.#field(BankState.usedCount).tee(count).i32(2).op(Op.i32_shl).get(this.#bank).op(Op.i32_add);
    b.get(entry).i32(table).op(Op.i32_add).get(HART).op(Op.i32_sub).i32(2).op(Op.i32_shr_u);
    b.memory(Memory.i32_store, BankState.used);
    b.get(this.#bank).get(count).i32(1).op(Op.i32_add).memory(Memory.i32_store, BankState.usedCount);
  }

  #noteCode(): void {
    const b = this.#b;
    const [page, word] = [b.local(i32), b.local(i32)];
    b.get(ADDRESS).i64(12n).op(Op.i64_shr_u).op(Op.i32_wrap_i64).tee(page).i32(5).op(Op.i32_shr_u);
    b.i32(CODE_FILTER_BITS / 32 - 1)
      .op(Op.i32_and)
      .i32(2)
      .op(Op.i32_shl);
    b.get(this.#bank).op(Op.i32_add).tee(word);
    b.get(word).memory(Memory.i32_load, BankState.code).i32(1).get(page).op(Op.i32_shl).op(Op.i32_or);
    b.memory(Memory.i32_store, BankState.code);
  }

  /** Extends the range of superpages to this one. */
  #coverLarge(): void {
    const b = this.#b;
    const [start, half] = [b.local(i64), b.local(i32)];
    b.get(ADDRESS);
    this.#within().i64(-1n).op(Op.i64_xor).op(Op.i64_and).i64(12n).op(Op.i64_shr_s).set(start);
    b.get(ADDRESS).i64(63n).op(Op.i64_shr_u).op(Op.i32_wrap_i64).i32(3).op(Op.i32_shl);
    b.get(this.#bank).op(Op.i32_add).set(half);
    const extend = (offset: number, comparison: number): void => {
      b.get(start).get(half).memory(Memory.i64_load, offset).op(comparison).if();
      b.get(half).get(start).memory(Memory.i64_store, offset).end();
    };
    extend(BankState.largeStart, Op.i64_lt_s);
    b.get(start).i64(1n).get(this.#shift).i64(12n).op(Op.i64_sub).op(Op.i64_shl).op(Op.i64_add).set(start);
    extend(BankState.largeEnd, Op.i64_gt_s);
  }
}

/**
 * Writes `walk(hart, address)`: the offset in the memory of the address's page, which is in the TLB then; or 0 where the hart
 * has to do it.
 * @param access READ, WRITE or EXECUTE. @param mapped whether pages of RAM may not be in memory.
 */
export function emitPageWalk(b: FunctionBuilder, access: number, mapped: boolean): void {
  const slow = b.block();
  new PageWalk(b, access, slow, mapped).emit();
  b.return().end();
  b.i32(0);
}
