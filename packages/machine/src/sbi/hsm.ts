/** HSM extension: start, stop, suspend harts. @spec sbi "Hart State Management Extension" */
import type { SbiExtension } from "./extension.ts";
import type { HartEntry } from "./hart-states.ts";
import type { SbiCall, SbiHost } from "./host.ts";
import { failure, SbiError, type SbiResult, success } from "./result.ts";

const RETENTIVE_SUSPEND = 0n;
const NON_RETENTIVE_SUSPEND = 0x8000_0000n;

/** The entry if a hart can fetch from its address: aligned, and in RAM. */
function entryAt(host: SbiHost, address: bigint, opaque: bigint): HartEntry | undefined {
  if (address > BigInt(Number.MAX_SAFE_INTEGER) || address & 1n) return undefined;
  return host.memory.placeOf(Number(address), 2) < 0 ? undefined : { address, opaque };
}

const hartOf = (host: SbiHost, id: bigint): number | undefined =>
  id < BigInt(host.states.count) ? Number(id) : undefined;

function start(host: SbiHost, call: SbiCall): SbiResult {
  const [id, address, opaque] = call.arguments;
  const hart = hartOf(host, id);
  if (hart === undefined) return failure(SbiError.invalidParameter);
  const entry = entryAt(host, address, opaque);
  if (entry === undefined) return failure(SbiError.invalidAddress);
  if (!host.states.requestStart(hart, entry)) return failure(SbiError.alreadyAvailable);
  host.started?.(hart);
  return success();
}

function stop(host: SbiHost, call: SbiCall): SbiResult {
  host.states.stop(call.hart);
  return "left";
}

function getStatus(host: SbiHost, call: SbiCall): SbiResult {
  const hart = hartOf(host, call.arguments[0]);
  return hart === undefined ? failure(SbiError.invalidParameter) : success(BigInt(host.states.status(hart)));
}

function suspend(host: SbiHost, call: SbiCall): SbiResult {
  const type = BigInt.asUintN(32, call.arguments[0]);
  if (type === RETENTIVE_SUSPEND) {
    host.states.suspend(call.hart, undefined);
    return success();
  }
  if (type !== NON_RETENTIVE_SUSPEND) return failure(SbiError.invalidParameter);
  const entry = entryAt(host, call.arguments[1], call.arguments[2]);
  if (entry === undefined) return failure(SbiError.invalidAddress);
  host.states.suspend(call.hart, entry);
  return "left";
}

export const hsm: SbiExtension = { id: 0x48_534d, name: "HSM", functions: [start, stop, getStatus, suspend] };
