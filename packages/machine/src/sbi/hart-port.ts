/** A hart as the SBI extensions see it. Who makes it: the machine, one for each hart of a direct boot. */
import type { BootEntry } from "../boot/load.ts";
import type { Hart } from "../hart/hart.ts";
import { HartState, Signal } from "../hart/layout.ts";
import { Privilege, Slot } from "../hart/state.ts";
import { Status } from "../hart/status.ts";
import type { HartEntry } from "./hart-states.ts";
import type { SbiHart } from "./host.ts";

const SIGNAL = HartState.signal / 4;
const SATP = 0x180;
const LOG_DOUBLEWORD = 3;
const MENVCFG = 0x30a;
const ADUE = 1n << 61n;
/** Register in which firmware finds where to go on: a2. */
const NEXT_STAGE = 12;

export class HartPort implements SbiHart {
  readonly #hart: Hart;

  constructor(hart: Hart) {
    this.#hart = hart;
  }

  readCsr(number: number): bigint {
    return this.#hart.readCsr(number);
  }

  writeCsr(number: number, value: bigint): void {
    this.#hart.writeCsr(number, value);
  }

  setPending(bit: number, level: boolean): void {
    this.#hart.setPending(bit, level);
  }

  fenceInstructions(): void {
    this.#hart.instructionFence();
  }

  fenceAddresses(address: bigint | undefined, asid: bigint | undefined): void {
    this.#hart.fenceAddresses(address, asid);
  }

  loadVirtual(address: bigint): bigint | undefined {
    const value = this.#hart.load(address, LOG_DOUBLEWORD);
    return this.#hart.words[SIGNAL] === Signal.exception ? undefined : BigInt.asUintN(64, value);
  }
}

/**
 * Puts a hart where a boot begins. With the hypervisor as its firmware the hardware updates A and D bits: the device tree
 * says "svadu" without "svade".
 */
export function prepareHart(hart: Hart, { mode, address, deviceTree, nextStage }: BootEntry): void {
  hart.reset(BigInt(address), BigInt(deviceTree));
  if (mode === "machine") hart.setX(NEXT_STAGE, BigInt(nextStage));
  else hart.writeCsr(MENVCFG, hart.readCsr(MENVCFG) | ADUE);
}

/**
 * Makes a hart begin in S-mode with translation and interrupts off, `a0` its id and `a1` the entry's `opaque`. Pending interrupts
 * stay. @spec sbi "HSM Hart Start Register State"
 */
export function enterSupervisor(hart: Hart, entry: HartEntry): void {
  hart.waiting = false;
  hart.words[Slot.privilege] = Privilege.supervisor;
  hart.words[Slot.mstatus] &= ~(Status.SIE | Status.MPRV);
  hart.writeCsr(SATP, 0n);
  hart.clearReservation();
  hart.selectSpaces();
  hart.words[SIGNAL] = Signal.none;
  hart.pc = entry.address;
  hart.setX(10, BigInt(hart.index));
  hart.setX(11, entry.opaque);
}
