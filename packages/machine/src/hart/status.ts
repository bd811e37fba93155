/**
 * Fields of `mstatus`, `menvcfg` and `satp` as masks of the low or high 32-bit half that holds them.
 * @spec privileged "Machine Status Registers (mstatus and mstatush)"
 */

/** Bits of the low half of `mstatus`. */
export const Status = {
  SIE: 1 << 1,
  MIE: 1 << 3,
  SPIE: 1 << 5,
  MPIE: 1 << 7,
  SPP: 1 << 8,
  MPP: 3 << 11,
  MPP_SHIFT: 11,
  FS: 3 << 13,
  MPRV: 1 << 17,
  SUM: 1 << 18,
  MXR: 1 << 19,
  TVM: 1 << 20,
  TW: 1 << 21,
  TSR: 1 << 22,
} as const;

/** Bits of the high half of `mstatus`: UXL and SXL say 64 bits; SD sums up FS. */
export const StatusHigh = { UXL64: 2, SXL64: 2 << 2, SD: 1 << 31 } as const;

/** Bits of the low half of `menvcfg` and `senvcfg`. @spec privileged "Machine Environment Configuration Register (menvcfg)" */
export const Envcfg = { FIOM: 1, CBIE: 3 << 4, CBIE_SHIFT: 4, CBCFE: 1 << 6, CBZE: 1 << 7 } as const;

/** Bits of the high half of `menvcfg`. */
export const EnvcfgHigh = { ADUE: 1 << 29, PBMTE: 1 << 30, STCE: 1 << 31 } as const;

/** Page-table levels for a `satp.MODE`; modes that are not listed are not supported. */
export const satpLevels: Readonly<Record<number, number>> = { 0: 0, 8: 3, 9: 4, 10: 5 };
