/**
 * Answers an ECALL from S-mode: extension and function from `a7` and `a6`, arguments from `a0`–`a5`, result to `a0` and `a1`.
 * Who calls it: the machine's loop, when the hypervisor is the guest's firmware.
 */
import { HartState, hartBase } from "../hart/layout.ts";
import { base } from "./base.ts";
import { dbcn } from "./dbcn.ts";
import type { SbiExtension } from "./extension.ts";
import type { SbiCall, SbiHost } from "./host.ts";
import { hsm } from "./hsm.ts";
import { ipi } from "./ipi.ts";
import { legacy } from "./legacy.ts";
import { pmu } from "./pmu.ts";
import { failure, SbiError, type SbiResult } from "./result.ts";
import { rfence } from "./rfence.ts";
import { srst } from "./srst.ts";
import { time } from "./time.ts";

/** Every implemented extension by EID. */
export const extensions: ReadonlyMap<bigint, SbiExtension> = new Map(
  [base((id) => extensions.has(id)), time, ipi, rfence, hsm, srst, dbcn, pmu, ...legacy].map((extension) => [
    BigInt(extension.id),
    extension,
  ]),
);

const A0 = 10;
const A6 = 16;
const A7 = 17;
const ARGUMENTS = 6;

/** Result of one call, given the extension id in `a7` and the function id in `a6`. */
export function answer(host: SbiHost, hart: number, id: bigint, fid: bigint, args: readonly bigint[]): SbiResult {
  const extension = extensions.get(id);
  const index = extension?.legacy ? 0 : fid < 64n ? Number(fid) : -1;
  const handler = extension?.functions[index];
  const call: SbiCall = { hart, function: index, arguments: args };
  return handler === undefined ? failure(SbiError.notSupported) : handler(host, call);
}

/** Answers the call in a hart's registers; false if the hart does not go on behind the ECALL. */
export function serveCall(host: SbiHost, hart: number): boolean {
  const registers = (hartBase(hart) + HartState.x) / 8;
  const words = host.memory.doublewords;
  const x = (register: number): bigint => BigInt.asUintN(64, words[registers + register]);
  const args = Array.from({ length: ARGUMENTS }, (_, index) => x(A0 + index));
  // EIDs are 32-bit and travel sign-extended; the ones implemented here are all positive.
  const result = answer(host, hart, x(A7), x(A6), args);
  if (result === "left") return false;
  words[registers + A0] = result.error;
  if (result.value !== undefined) words[registers + A0 + 1] = BigInt.asIntN(64, result.value);
  return true;
}
