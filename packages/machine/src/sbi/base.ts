/** Base extension: version, implementation and machine identity, probing. @spec sbi "Base Extension" */
import type { SbiExtension } from "./extension.ts";
import type { SbiCall, SbiHost } from "./host.ts";
import { success } from "./result.ts";

/** SBI 2.0: the major number from bit 24 on, the minor below. */
const SPECIFICATION_VERSION = 0x0200_0000n;
/** "BKHD": not among the assigned ids, so that no kernel applies another implementation's quirks. */
const IMPLEMENTATION_ID = 0x424b_4844n;
const IMPLEMENTATION_VERSION = 1n;

/** The machine identity CSRs. */
const MVENDORID = 0xf11;
const MARCHID = 0xf12;
const MIMPID = 0xf13;

const identity = (csr: number) => (host: SbiHost, call: SbiCall) => success(host.harts[call.hart].readCsr(csr));

/** @param available tells whether an extension id is implemented. */
export const base = (available: (id: bigint) => boolean): SbiExtension => ({
  id: 0x10,
  name: "BASE",
  functions: [
    () => success(SPECIFICATION_VERSION),
    () => success(IMPLEMENTATION_ID),
    () => success(IMPLEMENTATION_VERSION),
    (_host, call) => success(available(call.arguments[0]) ? 1n : 0n),
    identity(MVENDORID),
    identity(MARCHID),
    identity(MIMPID),
  ],
});
