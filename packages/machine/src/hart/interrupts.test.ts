import assert from "node:assert/strict";
import { test } from "node:test";
import { deliverableInterrupt } from "./interrupts.ts";
import { Signal } from "./layout.ts";
import { Privilege, Slot } from "./state.ts";
import { enterMode, outcome, sample, system } from "./testing/sample.ts";

const MSTATUS = 0x300;
const MIDELEG = 0x303;
const MIE = 0x304;
const MIP = 0x344;
const SIE = 0x104;
const SIP = 0x144;
const STIMECMP = 0x14d;
const MENVCFG = 0x30a;
const STCE = 1n << 63n;
const ALL = [1, 3, 5, 7, 9, 11] as const;
const PRIORITY = [11, 3, 7, 9, 1, 5] as const;

test("deliverableInterrupt: follows mode, enables and delegation for every interrupt", () => {
  for (const bit of ALL) {
    for (const mode of [Privilege.user, Privilege.supervisor, Privilege.machine]) {
      for (let combination = 0; combination < 16; combination++) {
        const [enabled, delegated, mie, sie] = [1, 2, 4, 8].map((flag) => (combination & flag) !== 0);
        const { hart } = sample();
        hart.writeCsr(MIE, enabled ? 1n << BigInt(bit) : 0n);
        hart.writeCsr(MIDELEG, delegated ? -1n : 0n);
        hart.writeCsr(MSTATUS, (mie ? 8n : 0n) | (sie ? 2n : 0n));
        hart.setPending(bit, true);
        hart.words[Slot.privilege] = mode;
        const supervisor = delegated && (bit === 1 || bit === 5 || bit === 9);
        const open = supervisor ? mode === 0 || (mode === 1 && sie) : mode < 3 || mie;
        assert.equal(deliverableInterrupt(hart.words), enabled && open ? bit : -1);
      }
    }
  }
});

test("deliverableInterrupt: picks by priority among all that are pending", () => {
  const { hart } = sample();
  hart.writeCsr(MIE, -1n);
  hart.words[Slot.privilege] = Privilege.user;
  for (const bit of ALL) hart.setPending(bit, true);
  for (const bit of PRIORITY) {
    assert.equal(deliverableInterrupt(hart.words), bit);
    hart.setPending(bit, false);
  }
  assert.equal(deliverableInterrupt(hart.words), -1);
});

test("deliverableInterrupt: an M-mode interrupt goes before a delegated one of higher rank", () => {
  const { hart } = sample();
  hart.writeCsr(MIE, -1n);
  hart.writeCsr(MIDELEG, 1n << 9n);
  hart.words[Slot.privilege] = Privilege.user;
  hart.setPending(9, true);
  hart.setPending(5, true);
  assert.equal(deliverableInterrupt(hart.words), 5);
});

test("mip: M-mode writes SSIP, STIP and SEIP; the lines of the controllers stay as they are", () => {
  const { hart } = sample();
  hart.writeCsr(MIP, -1n);
  assert.equal(hart.readCsr(MIP), 0x222n);
  for (const bit of [3, 7, 11]) hart.setPending(bit, true);
  hart.writeCsr(MIP, 0n);
  assert.equal(hart.readCsr(MIP), 0x888n);
});

test("mip: csrrs and csrrc see SEIP as the line and the software bit together but change only the latter", () => {
  const { hart } = sample();
  hart.setPending(9, true);
  assert.equal(hart.csr(MIP, 1, 0, 2n), 0x200n);
  hart.setPending(9, false);
  assert.equal(hart.readCsr(MIP), 2n);
  hart.writeCsr(MIP, 0x200n);
  hart.setPending(9, true);
  assert.equal(hart.csr(MIP, 2, 0, 0x200n), 0x200n);
  assert.equal(hart.readCsr(MIP), 0x200n);
  hart.setPending(9, false);
  assert.equal(hart.readCsr(MIP), 0n);
});

test("sip and sie: show what is delegated; S-mode may only write SSIP of sip", () => {
  const { hart } = sample();
  hart.writeCsr(MIDELEG, 0x202n);
  hart.writeCsr(MIP, 0x222n);
  hart.writeCsr(MIE, 0xaaan);
  assert.equal(hart.readCsr(SIP), 0x202n);
  assert.equal(hart.readCsr(SIE), 0x202n);
  hart.writeCsr(SIP, 0n);
  assert.equal(hart.readCsr(MIP), 0x220n);
  hart.writeCsr(SIE, 0n);
  assert.equal(hart.readCsr(MIE), 0x8a8n);
  hart.writeCsr(MIDELEG, 0n);
  hart.writeCsr(SIP, 2n);
  assert.equal(hart.readCsr(MIP), 0x220n);
});

test("stimecmp: raises STIP when the clock reaches it and takes it back when moved on", () => {
  const { hart, clock } = sample("supervisor");
  hart.writeCsr(SIE, 0x20n);
  hart.csr(STIMECMP, 0, 0, 100n);
  assert.equal(hart.nextDeadline(), 100n);
  clock.advance(99);
  hart.updateTimer();
  assert.equal(hart.pendingAndEnabled, 0);
  clock.advance(1);
  assert.equal(hart.readCsr(SIP), 0x20n);
  assert.equal(hart.pendingAndEnabled, 0x20);
  assert.equal(hart.nextDeadline(), undefined);
  hart.csr(STIMECMP, 0, 0, 1n << 40n);
  assert.equal(hart.readCsr(SIP), 0n);
  assert.equal(hart.nextDeadline(), 1n << 40n);
  hart.csr(STIMECMP, 0, 0, -1n);
  assert.equal(hart.nextDeadline(), undefined);
});

test("stimecmp: leaves at once when it is already due and interrupts are open", () => {
  const { hart, clock } = sample("supervisor");
  clock.advance(500);
  hart.writeCsr(SIE, 0x20n);
  hart.writeCsr(MSTATUS, 2n);
  hart.csr(STIMECMP, 0, 1, 500n);
  assert.deepEqual(outcome(hart), { signal: Signal.leave });
});

test("stimecmp: without STCE STIP is software's bit and there is no deadline", () => {
  const { hart, clock } = sample();
  hart.writeCsr(MIE, 0x20n);
  hart.writeCsr(STIMECMP, 5n);
  clock.advance(10);
  hart.updateTimer();
  assert.equal(hart.readCsr(MIP), 0n);
  assert.equal(hart.nextDeadline(), undefined);
  hart.setPending(5, true);
  assert.equal(hart.readCsr(MIP), 0x20n);
  hart.writeCsr(STIMECMP, 50n);
  hart.writeCsr(MENVCFG, STCE);
  assert.equal(hart.readCsr(MIP), 0n);
});

test("csr: opening interrupts with one pending leaves, otherwise it goes on", () => {
  for (const pending of [false, true]) {
    const { hart } = sample("supervisor");
    hart.writeCsr(SIE, 0x200n);
    hart.setPending(9, pending);
    hart.csr(0x100, 1, 1, 2n);
    assert.equal(outcome(hart).signal, pending ? Signal.leave : Signal.none);
  }
});

test("wfi: waits until something enabled is pending, whatever the global enable", () => {
  const { hart } = sample("supervisor");
  hart.writeCsr(SIE, 0x200n);
  assert.deepEqual(system(hart, "wfi"), { signal: Signal.leave });
  assert.equal(hart.waiting, true);
  hart.setPending(1, true);
  assert.equal(hart.takeInterrupt(), false);
  assert.equal(hart.waiting, true);
  hart.setPending(9, true);
  assert.equal(hart.takeInterrupt(), false);
  assert.equal(hart.waiting, false);
  system(hart, "wfi");
  assert.equal(hart.waiting, false);
});

test("takeInterrupt: ends WFI and delivers when interrupts are open", () => {
  const { hart } = sample("supervisor");
  hart.writeCsr(SIE, 0x20n);
  hart.writeCsr(MSTATUS, 2n);
  system(hart, "wfi");
  enterMode(hart, Privilege.supervisor);
  hart.setPending(9, true);
  assert.equal(hart.takeInterrupt(), false);
  hart.writeCsr(SIE, 0x200n);
  assert.equal(hart.takeInterrupt(), true);
  assert.equal(hart.waiting, false);
});
