/** PMU extension: `cycle`, `instret` and firmware event counters. @spec sbi "Performance Monitoring Unit Extension" */
import type { SbiExtension } from "./extension.ts";
import type { SbiCall, SbiHost } from "./host.ts";
import { COUNTERS, isCounter, isFirmwareCounter } from "./performance-counters.ts";
import { failure, SbiError, type SbiResult, success } from "./result.ts";

const CYCLE_CSR = 0xc00;
/** `counter_info`: one less than the width from bit 12 on; bit 63 marks a firmware counter. */
const WIDTH_64 = 63n << 12n;
const FIRMWARE_TYPE = 1n << 63n;

const ConfigureFlag = { skipMatch: 1n, clearValue: 2n, autoStart: 4n } as const;
/** Bits 3–7 are filter hints, which may be ignored; the rest is reserved. */
const KNOWN_CONFIGURE_FLAGS = 0xffn;
const StartFlag = { setInitialValue: 1n, fromSnapshot: 2n } as const;
const StopFlag = { reset: 1n, takeSnapshot: 2n } as const;
const KNOWN_RUN_FLAGS = 3n;
const EVENT_LIMIT = 1n << 20n;

/** Counters that a base and a mask name, or undefined if one of them is not valid. */
function countersOf(base: bigint, mask: bigint): number[] | undefined {
  const counters: number[] = [];
  for (let bit = 0n; bit < 64n; bit++) {
    if (((mask >> bit) & 1n) === 0n) continue;
    if (base + bit >= BigInt(COUNTERS) || !isCounter(Number(base + bit))) return undefined;
    counters.push(Number(base + bit));
  }
  return counters;
}

function getInfo(_host: SbiHost, call: SbiCall): SbiResult {
  const index = call.arguments[0] < BigInt(COUNTERS) ? Number(call.arguments[0]) : -1;
  if (!isCounter(index)) return failure(SbiError.invalidParameter);
  return success(isFirmwareCounter(index) ? FIRMWARE_TYPE : BigInt(CYCLE_CSR + index) | WIDTH_64);
}

function configureMatching(host: SbiHost, call: SbiCall): SbiResult {
  const [base, mask, flags, eventIndex] = call.arguments;
  const counters = countersOf(base, mask);
  if (counters === undefined || flags & ~KNOWN_CONFIGURE_FLAGS) return failure(SbiError.invalidParameter);
  if (eventIndex >= EVENT_LIMIT) return failure(SbiError.notSupported);
  const event = Number(eventIndex);
  const skip = (flags & ConfigureFlag.skipMatch) !== 0n;
  const candidates = skip ? counters.slice(0, 1) : counters.filter((c) => host.counters.isFree(call.hart, c));
  const counter = candidates.find((c) => host.counters.canCount(c, event));
  if (counter === undefined) return failure(SbiError.notSupported);
  host.counters.configure(call.hart, counter, event);
  if (flags & ConfigureFlag.clearValue) host.counters.write(call.hart, counter, 0n);
  if (flags & ConfigureFlag.autoStart) host.counters.start(call.hart, counter);
  return success(BigInt(counter));
}

function start(host: SbiHost, call: SbiCall): SbiResult {
  const [base, mask, flags, initial] = call.arguments;
  const counters = countersOf(base, mask);
  if (counters === undefined || flags & ~KNOWN_RUN_FLAGS) return failure(SbiError.invalidParameter);
  if (flags & StartFlag.fromSnapshot) return failure(SbiError.noSharedMemory);
  if (!counters.every((c) => host.counters.isConfigured(call.hart, c))) return failure(SbiError.invalidParameter);
  const stopped = counters.filter((c) => !host.counters.isStarted(call.hart, c));
  for (const counter of stopped) {
    if (flags & StartFlag.setInitialValue) host.counters.write(call.hart, counter, initial);
    host.counters.start(call.hart, counter);
  }
  return stopped.length < counters.length ? failure(SbiError.alreadyStarted) : success();
}

function stop(host: SbiHost, call: SbiCall): SbiResult {
  const [base, mask, flags] = call.arguments;
  const counters = countersOf(base, mask);
  if (counters === undefined || flags & ~KNOWN_RUN_FLAGS) return failure(SbiError.invalidParameter);
  if (flags & StopFlag.takeSnapshot) return failure(SbiError.noSharedMemory);
  const started = counters.filter((c) => host.counters.isStarted(call.hart, c));
  for (const counter of started) host.counters.stop(call.hart, counter);
  if (flags & StopFlag.reset) for (const counter of counters) host.counters.release(call.hart, counter);
  return started.length < counters.length ? failure(SbiError.alreadyStopped) : success();
}

/** @param read value of the firmware counter to return. */
const firmwareRead =
  (read: (host: SbiHost, hart: number, counter: number) => bigint) =>
  (host: SbiHost, call: SbiCall): SbiResult => {
    const index = call.arguments[0] < BigInt(COUNTERS) ? Number(call.arguments[0]) : -1;
    return isFirmwareCounter(index) ? success(read(host, call.hart, index)) : failure(SbiError.invalidParameter);
  };

export const pmu: SbiExtension = {
  id: 0x50_4d55,
  name: "PMU",
  functions: [
    () => success(BigInt(COUNTERS)),
    getInfo,
    configureMatching,
    start,
    stop,
    firmwareRead((host, hart, counter) => host.counters.readFirmware(hart, counter)),
    // The upper half of a counter, which is 0 by definition when XLEN is 64.
    firmwareRead(() => 0n),
    () => failure(SbiError.notSupported),
  ],
};
