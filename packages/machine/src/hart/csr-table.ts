/**
 * Every CSR of the machine, declared once: what RVA22S64 requires in M-, S- and U-mode. @spec privileged "CSR Listing"
 * Who reads it: `Hart.csr`, through `csrAt`.
 */
import { Interrupt } from "./cause.ts";
import { inhibitCounters, readCounter, writeCounter } from "./counters.ts";
import { Csr, type CsrDeclaration } from "./csr.ts";
import type { Hart } from "./hart.ts";
import { pendingInterrupts } from "./interrupts.ts";
import { PMP_ENTRIES, Privilege, Slot, Word } from "./state.ts";
import { Envcfg, EnvcfgHigh, Status, StatusHigh, satpLevels } from "./status.ts";

const both = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

const SSTATUS = Status.SIE | Status.SPIE | Status.SPP | Status.FS | Status.SUM | Status.MXR;
const MSTATUS = SSTATUS | Status.MIE | Status.MPIE | Status.MPP | Status.MPRV | Status.TVM | Status.TW | Status.TSR;

/** Extensions A, B, C, D, F, I, M, S and U on RV64. @spec privileged "Machine ISA (misa) Register" */
const MISA = [..."ABCDFIMSU"].reduce((bits, letter) => bits | (1n << BigInt(letter.charCodeAt(0) - 65)), 2n << 62n);

const SUPERVISOR_INTERRUPTS = both(
  (1 << Interrupt.supervisorSoftware) | (1 << Interrupt.supervisorTimer) | (1 << Interrupt.supervisorExternal),
  0,
);
const ALL_INTERRUPTS = SUPERVISOR_INTERRUPTS | (SUPERVISOR_INTERRUPTS << 2n);
/** Exceptions that can be delegated: all but the environment call from M-mode. */
export const DELEGABLE_EXCEPTIONS = 0xb3ffn;
export const DELEGABLE_INTERRUPTS = SUPERVISOR_INTERRUPTS;

const ENVCFG = both(Envcfg.FIOM | Envcfg.CBIE | Envcfg.CBCFE | Envcfg.CBZE, 0);
const MENVCFG = ENVCFG | both(0, EnvcfgHigh.ADUE | EnvcfgHigh.PBMTE | EnvcfgHigh.STCE);

/** CBIE = 2 is reserved and leaves the field as it was. */
const legalEnvcfg = (old: number, wanted: number): number =>
  (wanted & Envcfg.CBIE) >>> Envcfg.CBIE_SHIFT === 2 ? (wanted & ~Envcfg.CBIE) | (old & Envcfg.CBIE) : wanted;

/** MPP = 2 is reserved and leaves the field as it was. */
const legalStatus = (old: number, wanted: number): number =>
  (wanted & Status.MPP) >>> Status.MPP_SHIFT === 2 ? (wanted & ~Status.MPP) | (old & Status.MPP) : wanted;

const status: readonly CsrDeclaration[] = [
  {
    number: 0x100,
    name: "sstatus",
    slot: Slot.mstatus,
    reads: both(SSTATUS, StatusHigh.SD),
    writes: both(SSTATUS, 0),
    fixed: both(0, StatusHigh.UXL64),
    prepare: (hart) => hart.settleFloat(),
    changed: (hart, old, now) => hart.statusChanged(old, now),
  },
  {
    number: 0x300,
    name: "mstatus",
    slot: Slot.mstatus,
    reads: both(MSTATUS, StatusHigh.SD),
    writes: both(MSTATUS, 0),
    fixed: both(0, StatusHigh.UXL64 | StatusHigh.SXL64),
    prepare: (hart) => hart.settleFloat(),
    legalize: legalStatus,
    changed: (hart, old, now) => hart.statusChanged(old, now),
  },
];

const interruptsChanged = (hart: Hart): void => hart.interruptsChanged();

/** What a read of `mip` sees right now, the timer included. */
const readPending = (hart: Hart, mask: number): void => {
  hart.updateTimer();
  hart.low = pendingInterrupts(hart.words) & mask;
  hart.high = 0;
};

const interrupts: readonly CsrDeclaration[] = [
  { number: 0x104, name: "sie", slot: Slot.mie, through: Slot.mideleg, changed: interruptsChanged },
  {
    number: 0x144,
    name: "sip",
    slot: Slot.pending,
    shared: true,
    writes: 1n << BigInt(Interrupt.supervisorSoftware),
    through: Slot.mideleg,
    read: (hart) => readPending(hart, hart.words[Slot.mideleg]),
    changed: interruptsChanged,
  },
  { number: 0x302, name: "medeleg", slot: Slot.medeleg, writes: DELEGABLE_EXCEPTIONS },
  { number: 0x303, name: "mideleg", slot: Slot.mideleg, writes: DELEGABLE_INTERRUPTS, changed: interruptsChanged },
  { number: 0x304, name: "mie", slot: Slot.mie, writes: ALL_INTERRUPTS, changed: interruptsChanged },
  {
    number: 0x344,
    name: "mip",
    slot: Slot.pending,
    shared: true,
    writes: SUPERVISOR_INTERRUPTS,
    read: (hart) => readPending(hart, -1),
    changed: interruptsChanged,
  },
  {
    number: 0x14d,
    name: "stimecmp",
    slot: Slot.stimecmp,
    allowed: (hart) =>
      hart.words[Slot.privilege] === Privilege.machine ||
      ((hart.words[Slot.menvcfg + 1] & EnvcfgHigh.STCE) !== 0 && (hart.words[Slot.mcounteren] & 2) !== 0),
    changed: (hart) => {
      hart.updateTimer();
      hart.interruptsChanged();
    },
  },
];

const EVEN = -2n;
/** Direct and vectored mode; bit 1 is 0, so the reserved modes cannot be written. */
const VECTOR = -3n;

const traps: readonly CsrDeclaration[] = [
  { number: 0x105, name: "stvec", slot: Slot.stvec, writes: VECTOR },
  { number: 0x140, name: "sscratch", slot: Slot.sscratch },
  { number: 0x141, name: "sepc", slot: Slot.sepc, writes: EVEN },
  { number: 0x142, name: "scause", slot: Slot.scause },
  { number: 0x143, name: "stval", slot: Slot.stval },
  { number: 0x305, name: "mtvec", slot: Slot.mtvec, writes: VECTOR },
  { number: 0x340, name: "mscratch", slot: Slot.mscratch },
  { number: 0x341, name: "mepc", slot: Slot.mepc, writes: EVEN },
  { number: 0x342, name: "mcause", slot: Slot.mcause },
  { number: 0x343, name: "mtval", slot: Slot.mtval },
];

const environment: readonly CsrDeclaration[] = [
  { number: 0x10a, name: "senvcfg", slot: Slot.senvcfg, writes: ENVCFG, legalize: legalEnvcfg },
  {
    number: 0x30a,
    name: "menvcfg",
    slot: Slot.menvcfg,
    writes: MENVCFG,
    legalize: legalEnvcfg,
    changed: (hart) => {
      hart.updateTimer();
      hart.interruptsChanged();
      hart.translationChanged();
    },
  },
  {
    number: 0x180,
    name: "satp",
    slot: Slot.satp,
    allowed: (hart) =>
      hart.words[Slot.privilege] === Privilege.machine || (hart.words[Slot.mstatus] & Status.TVM) === 0,
    write: (hart, low, high) => {
      if (satpLevels[high >>> 28] !== undefined) hart.setSatp(low, high);
    },
  },
];

const constant = (number: number, name: string, fixed = 0n): CsrDeclaration => ({ number, name, fixed });

const identity: readonly CsrDeclaration[] = [
  constant(0xf11, "mvendorid"),
  constant(0xf12, "marchid"),
  constant(0xf13, "mimpid"),
  { number: 0xf14, name: "mhartid", slot: Slot.mhartid, writes: 0n },
  constant(0xf15, "mconfigptr"),
  constant(0x301, "misa", MISA),
  // No triggers: tdata1 reads type 0, tinfo says that type 0 is all there is. @spec debug "Trigger Module Registers"
  constant(0x7a0, "tselect"),
  constant(0x7a1, "tdata1"),
  constant(0x7a2, "tdata2"),
  constant(0x7a3, "tdata3"),
  constant(0x7a4, "tinfo", 1n),
];

const floatAllowed = (hart: Hart): boolean => hart.words[Word.floatEnabled] !== 0;

const setFloat = (hart: Hart, fflags: number, frm: number): void => {
  hart.words[Word.fflags] = fflags;
  hart.words[Word.frm] = frm;
  hart.words[Word.floatDirty] = 1;
};

const small = (hart: Hart, value: number): void => {
  hart.low = value;
  hart.high = 0;
};

const float: readonly CsrDeclaration[] = [
  {
    number: 0x001,
    name: "fflags",
    allowed: floatAllowed,
    read: (hart) => small(hart, hart.words[Word.fflags]),
    write: (hart, low) => setFloat(hart, low & 31, hart.words[Word.frm]),
  },
  {
    number: 0x002,
    name: "frm",
    allowed: floatAllowed,
    read: (hart) => small(hart, hart.words[Word.frm]),
    write: (hart, low) => setFloat(hart, hart.words[Word.fflags], low & 7),
  },
  {
    number: 0x003,
    name: "fcsr",
    allowed: floatAllowed,
    read: (hart) => small(hart, hart.words[Word.fflags] | (hart.words[Word.frm] << 5)),
    write: (hart, low) => setFloat(hart, low & 31, (low >>> 5) & 7),
  },
];

/** A counter is readable in S-mode if `mcounteren` says so, and in U-mode if `scounteren` does too. */
const counterAllowed =
  (bit: number) =>
  (hart: Hart): boolean => {
    const words = hart.words;
    if (words[Slot.privilege] === Privilege.machine) return true;
    if (((words[Slot.mcounteren] >>> bit) & 1) === 0) return false;
    return words[Slot.privilege] === Privilege.supervisor || ((words[Slot.scounteren] >>> bit) & 1) !== 0;
  };

const readCounterOf = (slot: number) => (hart: Hart) => hart.splitValue(readCounter(hart, slot));
const writeCounterOf = (slot: number) => (hart: Hart, low: number, high: number) =>
  writeCounter(hart, slot, hart.joinValue(low, high));

const counters: readonly CsrDeclaration[] = [
  { number: 0x106, name: "scounteren", slot: Slot.scounteren, writes: 0xffff_ffffn },
  { number: 0x306, name: "mcounteren", slot: Slot.mcounteren, writes: 0xffff_ffffn },
  {
    number: 0x320,
    name: "mcountinhibit",
    slot: Slot.mcountinhibit,
    write: (hart, low) => inhibitCounters(hart, low),
  },
  { number: 0xb00, name: "mcycle", read: readCounterOf(Slot.mcycle), write: writeCounterOf(Slot.mcycle) },
  { number: 0xb02, name: "minstret", read: readCounterOf(Slot.minstret), write: writeCounterOf(Slot.minstret) },
  { number: 0xc00, name: "cycle", allowed: counterAllowed(0), read: readCounterOf(Slot.mcycle) },
  {
    number: 0xc01,
    name: "time",
    allowed: counterAllowed(1),
    read: (hart) => {
      const ticks = hart.clock.ticks();
      hart.low = ticks | 0;
      hart.high = Math.floor(ticks / 0x1_0000_0000);
    },
  },
  { number: 0xc02, name: "instret", allowed: counterAllowed(2), read: readCounterOf(Slot.minstret) },
];

/** Event counters 3 to 31 read 0. @spec privileged "Hardware Performance Monitor" */
const events: readonly CsrDeclaration[] = Array.from({ length: 29 }, (_, i) => i + 3).flatMap((n) => [
  constant(0xb00 + n, `mhpmcounter${n}`),
  constant(0x320 + n, `mhpmevent${n}`),
  { ...constant(0xc00 + n, `hpmcounter${n}`), allowed: counterAllowed(n) },
]);

const pmpConfig = (register: number): CsrDeclaration => ({
  number: 0x3a0 + 2 * register,
  name: `pmpcfg${2 * register}`,
  slot: Slot.pmpcfg + 2 * register,
  write: (hart, low, high) => {
    hart.pmp.writeConfig(register, low, high);
    hart.translationChanged();
  },
});

const pmpAddress = (entry: number): CsrDeclaration => ({
  number: 0x3b0 + entry,
  name: `pmpaddr${entry}`,
  read: (hart) => hart.splitValue(hart.pmp.readAddress(entry)),
  write: (hart, low, high) => {
    hart.pmp.writeAddress(entry, hart.joinValue(low, high));
    hart.translationChanged();
  },
});

/** 64 entries exist and the first 16 are implemented; the rest read 0. RV64 has no odd `pmpcfg`. */
const protection: readonly CsrDeclaration[] = [
  ...Array.from({ length: 8 }, (_, i) =>
    i < PMP_ENTRIES / 8 ? pmpConfig(i) : constant(0x3a0 + 2 * i, `pmpcfg${2 * i}`),
  ),
  ...Array.from({ length: 64 }, (_, i) => (i < PMP_ENTRIES ? pmpAddress(i) : constant(0x3b0 + i, `pmpaddr${i}`))),
];

/** All declarations; numbers and names are unique. */
export const csrDeclarations: readonly CsrDeclaration[] = [
  ...float,
  ...status,
  ...interrupts,
  ...traps,
  ...environment,
  ...identity,
  ...counters,
  ...events,
  ...protection,
];

const table: (Csr | undefined)[] = new Array(4096).fill(undefined);
for (const declaration of csrDeclarations) table[declaration.number] = new Csr(declaration);

/** The CSR with a number (0 to 4095), or undefined if there is none. */
export const csrAt = (number: number): Csr | undefined => table[number];
