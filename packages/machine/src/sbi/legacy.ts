/**
 * Legacy extensions, one function each: still probed by kernels and used by their early consoles. They return a value in `a0`
 * only, and their hart masks are vectors at a virtual address. @spec sbi "Legacy Extensions"
 */
import type { SbiExtension, SbiFunction } from "./extension.ts";
import { hartsOf } from "./hart-mask.ts";
import type { SbiCall, SbiHost } from "./host.ts";
import { SSIP, sendIpi } from "./ipi.ts";
import { SbiError, type SbiResult } from "./result.ts";
import { isValidRange, remoteFenceAddresses, remoteFenceInstructions } from "./rfence.ts";
import { setTimer } from "./time.ts";

const MIP = 0x344;
const done: SbiResult = { error: 0n };
const refused: SbiResult = { error: SbiError.invalidParameter };

/** Harts named by the vector at a virtual address (0 means all of them); undefined with a fault to take. */
function hartsAt(host: SbiHost, hart: number, address: bigint): number[] | undefined {
  const { count } = host.states;
  const harts: number[] = [];
  if (address === 0n) return hartsOf(0n, 0xffff_ffff_ffff_ffffn, count);
  for (let first = 0; first < count; first += 64) {
    const word = host.harts[hart].loadVirtual(BigInt.asUintN(64, address + BigInt(first / 8)));
    if (word === undefined) return undefined;
    // Bits behind the last hart are ignored: kernels of that time pass whole words.
    for (let bit = 0; bit < Math.min(64, count - first); bit++) if ((word >> BigInt(bit)) & 1n) harts.push(first + bit);
  }
  return harts;
}

/** A function whose `a0` points to a hart mask. */
const onHarts =
  (act: (host: SbiHost, call: SbiCall, harts: number[]) => SbiResult): SbiFunction =>
  (host, call) => {
    const harts = hartsAt(host, call.hart, call.arguments[0]);
    return harts === undefined ? "left" : act(host, call, harts);
  };

function fenceAddresses(host: SbiHost, call: SbiCall, harts: number[], asid: bigint | undefined): SbiResult {
  const [, start, size] = call.arguments;
  if (!isValidRange({ start, size })) return refused;
  remoteFenceAddresses(host, call.hart, harts, { start, size }, asid);
  return done;
}

function clearIpi(host: SbiHost, call: SbiCall): SbiResult {
  const hart = host.harts[call.hart];
  const pending = (hart.readCsr(MIP) >> BigInt(SSIP)) & 1n;
  hart.setPending(SSIP, false);
  return { error: pending };
}

const legacyExtension = (id: number, name: string, handler: SbiFunction): SbiExtension => ({
  id,
  name,
  functions: [handler],
  legacy: true,
});

export const legacy: readonly SbiExtension[] = [
  legacyExtension(0x00, "set timer", (host, call) => {
    setTimer(host, call.hart, call.arguments[0]);
    return done;
  }),
  legacyExtension(0x01, "console putchar", (host, call) => {
    host.console.write(Uint8Array.of(Number(BigInt.asUintN(8, call.arguments[0]))));
    return done;
  }),
  legacyExtension(0x02, "console getchar", (host) => {
    const [byte] = host.console.read(1);
    return { error: byte === undefined ? SbiError.failed : BigInt(byte) };
  }),
  legacyExtension(0x03, "clear IPI", clearIpi),
  legacyExtension(
    0x04,
    "send IPI",
    onHarts((host, call, harts) => {
      sendIpi(host, call.hart, harts);
      return done;
    }),
  ),
  legacyExtension(
    0x05,
    "remote FENCE.I",
    onHarts((host, call, harts) => {
      remoteFenceInstructions(host, call.hart, harts);
      return done;
    }),
  ),
  legacyExtension(
    0x06,
    "remote SFENCE.VMA",
    onHarts((host, call, harts) => fenceAddresses(host, call, harts, undefined)),
  ),
  legacyExtension(
    0x07,
    "remote SFENCE.VMA with ASID",
    onHarts((host, call, harts) => fenceAddresses(host, call, harts, call.arguments[3])),
  ),
  legacyExtension(0x08, "shutdown", (host) => {
    host.reset({ type: "shutdown", failed: false });
    return "left";
  }),
];
