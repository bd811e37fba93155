/**
 * Privileged and environment instructions. @spec privileged "Machine-Mode Privileged Instructions", "Supervisor
 * Memory-Management Fence Instruction", "Svinval"; unprivileged "Zawrs", "CMO". Who calls it: `Hart.system`.
 */
import { type SystemOperation, systemOperations } from "@bulkhead/isa";
import { cacheBlock } from "./access.ts";
import { Cause } from "./cause.ts";
import type { Hart } from "./hart.ts";
import { Signal } from "./layout.ts";
import { READ, WRITE } from "./pmp.ts";
import { Privilege, Slot, Word } from "./state.ts";
import { Envcfg, Status } from "./status.ts";
import { returnFromMachine, returnFromSupervisor } from "./trap.ts";

type Handler = (hart: Hart, a: bigint, b: bigint) => void;

/** Bytes of a cache block ("Zic64b"). */
const BLOCK_BYTES = 64;

const mode = (hart: Hart): number => hart.words[Slot.privilege];
const trapped = (hart: Hart, bit: number): boolean =>
  mode(hart) === Privilege.supervisor && (hart.words[Slot.mstatus] & bit) !== 0;
const leave = (hart: Hart): void => hart.signal(Signal.leave);

const handlers: Record<SystemOperation, Handler> = {
  ecall: (hart) => {
    if (mode(hart) === Privilege.supervisor && hart.environmentCall?.(hart) === true) return leave(hart);
    hart.raise(Cause.userCall + mode(hart), 0, 0);
  },
  ebreak: (hart) => hart.raise(Cause.breakpoint, hart.words[Word.pc], hart.words[Word.pc + 1]),
  mret: (hart) => {
    if (mode(hart) !== Privilege.machine) return hart.illegal();
    returnFromMachine(hart.words);
    hart.returned();
  },
  sret: (hart) => {
    if (mode(hart) === Privilege.user || trapped(hart, Status.TSR)) return hart.illegal();
    returnFromSupervisor(hart.words);
    hart.returned();
  },
  wfi: (hart) => {
    if (mode(hart) === Privilege.user || trapped(hart, Status.TW)) return hart.illegal();
    hart.updateTimer();
    if (hart.pendingAndEnabled === 0) hart.words[Word.waiting] = 1;
    leave(hart);
  },
  // A wait for the reservation set may end at any time, and here it ends at once: TW has nothing to trap.
  "wrs.nto": leave,
  "wrs.sto": leave,
  "fence.i": (hart) => {
    hart.instructionFence();
    leave(hart);
  },
  "sfence.vma": fenceTranslations,
  "sinval.vma": fenceTranslations,
  "sfence.w.inval": orderInvalidations,
  "sfence.inval.ir": orderInvalidations,
  // CBIE = 1 makes it a flush and 3 an invalidation; memory is coherent, so both do nothing.
  "cbo.inval": (hart, address) => (environmentAllows(hart, Envcfg.CBIE) ? manage(hart, address) : hart.illegal()),
  "cbo.clean": (hart, address) => (environmentAllows(hart, Envcfg.CBCFE) ? manage(hart, address) : hart.illegal()),
  "cbo.flush": (hart, address) => (environmentAllows(hart, Envcfg.CBCFE) ? manage(hart, address) : hart.illegal()),
  "cbo.zero": (hart, address) => {
    if (!environmentAllows(hart, Envcfg.CBZE)) return hart.illegal();
    const at = cacheBlock(hart, address, WRITE, BLOCK_BYTES);
    if (at >= 0) hart.memory.bytes.fill(0, at, at + BLOCK_BYTES);
  },
  illegal: (hart) => hart.illegal(),
};

const byIndex: readonly Handler[] = systemOperations.map((name) => handlers[name]);

/** Runs an operation of `systemOperations` by its index. */
export function runSystem(hart: Hart, operation: number, a: bigint, b: bigint): void {
  byIndex[operation](hart, a, b);
}

/** An operand of `sfence.vma` that names no register. */
const EVERY = -1n;

/** `sfence.vma` and `sinval.vma`. */
function fenceTranslations(hart: Hart, address: bigint, asid: bigint): void {
  if (mode(hart) === Privilege.user || trapped(hart, Status.TVM)) {
    hart.illegal();
    return;
  }
  hart.fenceAddresses(address === EVERY ? undefined : address, asid === EVERY ? undefined : asid);
  leave(hart);
}

/** Every `sinval.vma` takes effect at once, so that these have nothing left to order. */
function orderInvalidations(hart: Hart): void {
  if (mode(hart) === Privilege.user) hart.illegal();
}

/** Whether `menvcfg` and `senvcfg` permit a cache-block operation in the current mode. */
function environmentAllows(hart: Hart, bit: number): boolean {
  if (mode(hart) === Privilege.machine) return true;
  if ((hart.words[Slot.menvcfg] & bit) === 0) return false;
  return mode(hart) === Privilege.supervisor || (hart.words[Slot.senvcfg] & bit) !== 0;
}

function manage(hart: Hart, address: bigint): void {
  cacheBlock(hart, address, READ, BLOCK_BYTES);
}
