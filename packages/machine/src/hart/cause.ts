/** Exception and interrupt codes of `mcause` and `scause`. @spec privileged "Machine Cause Register (mcause)" */

export const Cause = {
  fetchMisaligned: 0,
  fetchAccess: 1,
  illegal: 2,
  breakpoint: 3,
  loadMisaligned: 4,
  loadAccess: 5,
  storeMisaligned: 6,
  storeAccess: 7,
  userCall: 8,
  supervisorCall: 9,
  machineCall: 11,
  fetchPage: 12,
  loadPage: 13,
  storePage: 15,
} as const;

/** Interrupt numbers, which are also their bits in `mip` and `mie`. */
export const Interrupt = {
  supervisorSoftware: 1,
  machineSoftware: 3,
  supervisorTimer: 5,
  machineTimer: 7,
  supervisorExternal: 9,
  machineExternal: 11,
} as const;
