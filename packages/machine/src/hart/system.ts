/**
 * Privileged and environment instructions. @spec privileged "Machine-Mode Privileged Instructions", "Supervisor
 * Memory-Management Fence Instruction", "Svinval"; unprivileged "Zawrs", "CMO". Who calls it: `Hart.system`.
 */
import { type SystemOperation, systemOperations } from "@bulkhead/isa";
import { manageBlock, zeroBlock } from "./cache-block.ts";
import { Cause } from "./cause.ts";
import type { Hart } from "./hart.ts";
import { Signal } from "./layout.ts";
import { Privilege, Slot, Word } from "./state.ts";
import { Envcfg, Status } from "./status.ts";
import { returnFromMachine, returnFromSupervisor } from "./trap.ts";

type Handler = (hart: Hart, a: bigint, b: bigint) => void;

const mode = (hart: Hart): number => hart.words[Slot.privilege];
const trapped = (hart: Hart, bit: number): boolean =>
  mode(hart) === Privilege.supervisor && (hart.words[Slot.mstatus] & bit) !== 0;
const leave = (hart: Hart): void => hart.signal(Signal.leave);

const handlers: Record<SystemOperation, Handler> = {
  ecall: (hart) => hart.raise(Cause.userCall + mode(hart), 0, 0),
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
  // A wait for the reservation set may end at any time, and here it ends soon: TW has nothing to trap.
  "wrs.nto": stall,
  "wrs.sto": stall,
  "fence.i": (hart) => {
    hart.instructionFence();
    leave(hart);
  },
  "sfence.vma": fenceTranslations,
  "sinval.vma": fenceTranslations,
  "sfence.w.inval": orderInvalidations,
  "sfence.inval.ir": orderInvalidations,
  // CBIE = 1 makes it a flush and 3 an invalidation, which are the same here.
  "cbo.inval": (hart, address) => (environmentAllows(hart, Envcfg.CBIE) ? manageBlock(hart, address) : hart.illegal()),
  "cbo.clean": (hart, address) => (environmentAllows(hart, Envcfg.CBCFE) ? manageBlock(hart, address) : hart.illegal()),
  "cbo.flush": (hart, address) => (environmentAllows(hart, Envcfg.CBCFE) ? manageBlock(hart, address) : hart.illegal()),
  "cbo.zero": (hart, address) => (environmentAllows(hart, Envcfg.CBZE) ? zeroBlock(hart, address) : hart.illegal()),
  illegal: (hart) => hart.illegal(),
};

function stall(hart: Hart): void {
  hart.stalled();
  leave(hart);
}

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
  const { words } = hart;
  const [dataTlb, fetchSpace] = [words[Word.dataTlb], words[Word.fetchSpace]];
  hart.fenceAddresses(address === EVERY ? undefined : address, asid === EVERY ? undefined : asid);
  // A kernel fences page after page: as long as its code stays where it is, it goes on.
  if (words[Word.dataTlb] !== dataTlb || words[Word.fetchSpace] !== fetchSpace) hart.refetch();
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
