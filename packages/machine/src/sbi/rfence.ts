/** RFENCE extension: fences on other harts. The call returns when they are done. @spec sbi "RFENCE Extension" */
import type { SbiExtension } from "./extension.ts";
import { FirmwareEvent } from "./firmware-events.ts";
import { hartsOf } from "./hart-mask.ts";
import { HartStatus } from "./hart-states.ts";
import type { SbiCall, SbiHost } from "./host.ts";
import { failure, SbiError, type SbiResult, success } from "./result.ts";

const PAGE = 4096n;
const ADDRESS_LIMIT = 1n << 64n;
const EVERYTHING = ADDRESS_LIMIT - 1n;
/** A longer range drops every translation: a guest's range must not bound the host's work. */
const MAX_PAGES = 64n;
const ASID_MASK = 0xffffn;

export interface AddressRange {
  readonly start: bigint;
  readonly size: bigint;
}

/** False if the range wraps around the address space. */
export const isValidRange = ({ start, size }: AddressRange): boolean =>
  size === EVERYTHING || start + size <= ADDRESS_LIMIT;

/** Addresses to fence one by one, or `[undefined]` for all of them. */
function pages({ start, size }: AddressRange): (bigint | undefined)[] {
  if ((start === 0n && size === 0n) || size === EVERYTHING) return [undefined];
  const first = start / PAGE;
  const count = size === 0n ? 0n : (start + size - 1n) / PAGE - first + 1n;
  if (count > MAX_PAGES) return [undefined];
  return Array.from({ length: Number(count) }, (_, index) => (first + BigInt(index)) * PAGE);
}

const isReachable = (host: SbiHost) => (hart: number) => host.states.status(hart) !== HartStatus.stopped;

export function remoteFenceInstructions(host: SbiHost, from: number, harts: readonly number[]): void {
  const reachable = harts.filter(isReachable(host));
  for (const hart of reachable) {
    host.harts[hart].fenceInstructions();
    host.events.count(from, FirmwareEvent.fenceInstructionsSent);
    host.events.count(hart, FirmwareEvent.fenceInstructionsReceived);
  }
  host.fenced?.(reachable);
}

/** Fences a valid range in every listed hart that is not stopped, for one ASID or for all. */
export function remoteFenceAddresses(
  host: SbiHost,
  from: number,
  harts: readonly number[],
  range: AddressRange,
  asid: bigint | undefined,
): void {
  const sent = asid === undefined ? FirmwareEvent.fenceAddressesSent : FirmwareEvent.fenceAddressSpaceSent;
  const received = asid === undefined ? FirmwareEvent.fenceAddressesReceived : FirmwareEvent.fenceAddressSpaceReceived;
  const reachable = harts.filter(isReachable(host));
  for (const hart of reachable) {
    for (const page of pages(range))
      host.harts[hart].fenceAddresses(page, asid === undefined ? undefined : asid & ASID_MASK);
    host.events.count(from, sent);
    host.events.count(hart, received);
  }
  host.fenced?.(reachable);
}

function fenceAddresses(host: SbiHost, call: SbiCall, asid: bigint | undefined): SbiResult {
  const [mask, base, start, size] = call.arguments;
  const harts = hartsOf(mask, base, host.states.count);
  if (harts === undefined) return failure(SbiError.invalidParameter);
  if (!isValidRange({ start, size })) return failure(SbiError.invalidAddress);
  remoteFenceAddresses(host, call.hart, harts, { start, size }, asid);
  return success();
}

/** The HFENCE forms need the hypervisor extension, which these harts do not have. */
const hypervisorFence = () => failure(SbiError.notSupported);

export const rfence: SbiExtension = {
  id: 0x5246_4e43,
  name: "RFNC",
  functions: [
    (host, call) => {
      const harts = hartsOf(call.arguments[0], call.arguments[1], host.states.count);
      if (harts === undefined) return failure(SbiError.invalidParameter);
      remoteFenceInstructions(host, call.hart, harts);
      return success();
    },
    (host, call) => fenceAddresses(host, call, undefined),
    (host, call) => fenceAddresses(host, call, call.arguments[4]),
    hypervisorFence,
    hypervisorFence,
    hypervisorFence,
    hypervisorFence,
  ],
};
