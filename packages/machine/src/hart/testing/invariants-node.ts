/** What holds of a hart's state after anything a guest may do. */
import assert from "node:assert/strict";
import type { Hart } from "../hart.ts";
import { BankState, HartState, TLB_ADDEND, TLB_BANK_BYTES, TLB_BANKS, TLB_ENTRY_BYTES } from "../layout.ts";
import { Word } from "../state.ts";

/** Fails if a WARL field holds what it must not, or a derived slot disagrees with what it derives from. */
export function checkState(hart: Hart): void {
  const { words } = hart;
  assert.ok([0, 1, 3].includes(hart.privilege), `privilege ${hart.privilege}`);
  const status = hart.readCsr(0x300);
  const float = (status >> 13n) & 3n;
  assert.notEqual((status >> 11n) & 3n, 2n, "MPP");
  assert.equal((status >> 32n) & 0xfn, 0xan, "UXL and SXL");
  assert.equal(status >> 63n, float === 3n ? 1n : 0n, "SD");
  assert.equal(words[Word.floatEnabled], float === 0n ? 0 : 1, "floatEnabled");
  assert.ok([0n, 8n, 9n, 10n].includes(hart.readCsr(0x180) >> 60n), "satp mode");
  assert.equal(hart.readCsr(0x341) & 1n, 0n, "mepc");
  assert.equal(hart.readCsr(0x141) & 1n, 0n, "sepc");
  assert.equal(hart.readCsr(0x305) & 2n, 0n, "mtvec");
  assert.equal(hart.readCsr(0x105) & 2n, 0n, "stvec");
  assert.equal(hart.readCsr(0x303) & ~0x222n, 0n, "mideleg");
  assert.notEqual((hart.readCsr(0x30a) >> 4n) & 3n, 2n, "menvcfg.CBIE");
  for (const number of [0x3a0, 0x3a2]) {
    for (let config = hart.readCsr(number); config !== 0n; config >>= 8n)
      assert.notEqual(config & 3n, 2n, "PMP W without R");
  }
  assert.equal(words[Word.dataTlb], hart.dataSpace.offset);
  assert.equal(words[Word.fetchTlb], hart.fetchSpace.offset);
  const bank = (words[Word.dataTlb] - words.byteOffset - HartState.tlbs) / TLB_BANK_BYTES;
  assert.ok(Number.isInteger(bank) && bank >= 0 && bank < TLB_BANKS, "dataTlb");
}

/** Fails if any TLB entry leads generated code out of the guest's RAM. */
export function checkTlb(hart: Hart): void {
  const { ramOffset, ramSize, view } = hart.memory;
  const start = hart.words.byteOffset + HartState.tlbs;
  for (let bank = start; bank < start + TLB_BANKS * TLB_BANK_BYTES; bank += TLB_BANK_BYTES) {
    for (let at = bank; at < bank + BankState.used; at += TLB_ENTRY_BYTES) {
      const tag = view.getBigInt64(at, true);
      if (tag === -1n) continue;
      const offset = (Number(BigInt.asUintN(32, tag)) + view.getInt32(at + TLB_ADDEND, true)) >>> 0;
      assert.ok(offset >= ramOffset && offset < ramOffset + ramSize && offset % 4096 === 0, "outside RAM");
    }
  }
}
