/** Drives a bit of a hart's `mip`: 3 MSIP, 7 MTIP, 9 SEIP, 11 MEIP. What interrupt controllers need of the harts. */
export type SetPending = (hart: number, bit: number, level: boolean) => void;
