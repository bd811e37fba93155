/** What interrupt controllers need of the harts and of the host. Who implements it: the machine. */

/** Drives a bit of a hart's `mip`: 3 MSIP, 7 MTIP, 9 SEIP, 11 MEIP. */
export type SetPending = (hart: number, bit: number, level: boolean) => void;

/** Time of the machine in ticks of the timebase (10 MHz); never goes back. */
export interface TickSource {
  now(): bigint;
}
