/** Reads what a partition boots from, on its own thread, and turns what is wrong with it into errors for the user. */
import { readFileSync, statSync } from "node:fs";
import { type BootDescription, BootError, type BootSource, StateError } from "@bulkhead/machine";
import { HostError, type HostErrorCode } from "../host-error.ts";
import type { PartitionDescription } from "../partition/description.ts";
import { unpackKernel } from "./unpack-kernel-node.ts";

const MIB = 1024 * 1024;

/** What the machine's codes mean here. */
const bootCodes: Record<BootError["code"], HostErrorCode> = {
  "not-an-image": "kernel-format",
  "compressed-image": "kernel-format",
  "not-firmware": "kernel-format",
  "not-riscv": "kernel-format",
  "command-line-too-long": "setting-invalid",
  truncated: "kernel-format",
  "out-of-place": "kernel-format",
  "memory-too-small": "memory-too-small",
  "initrd-too-large": "initrd-too-large",
};

/**
 * The files that a description boots from, read when the machine is started and again when the guest reboots: a guest that
 * runs does not need them. Errors of `load`: `file-missing`, `file-unreadable`, `initrd-too-large`, `memory-too-small`, `BootError`.
 */
export function bootSource({ boot, memoryMiB }: PartitionDescription): BootSource {
  const bytes = memoryMiB * MIB;
  const load = (): BootDescription => {
    const initrd = boot.initrd === undefined ? undefined : readSmall("initrd", boot.initrd, bytes, "initrd-too-large");
    const rest = { initrd, bootArguments: boot.append };
    const kernel =
      boot.kernel === undefined
        ? undefined
        : unpackKernel(readSmall("kernel", boot.kernel, bytes, "memory-too-small"), bytes);
    if ("firmware" in boot) {
      const firmware = readSmall("firmware", boot.firmware, bytes, "memory-too-small");
      return { ...rest, firmware, kernel };
    }
    if (kernel === undefined) throw new HostError("setting-invalid", "expected a kernel or firmware to start");
    return { ...rest, kernel };
  };
  return { start: "firmware" in boot ? "machine" : "supervisor", load };
}

/** An error of the machine in the words of the user's files. */
export function bootFailure(error: unknown, { boot, restore }: PartitionDescription): unknown {
  if (error instanceof StateError) {
    return new HostError("snapshot-mismatch", `snapshot ${restore}: ${error.message}`, { cause: error });
  }
  if (!(error instanceof BootError)) return error;
  const code = bootCodes[error.code];
  const file = code === "kernel-format" ? ` (${boot.kernel ?? ("firmware" in boot ? boot.firmware : "")})` : "";
  const more = code === "memory-too-small" || code === "initrd-too-large" ? "; give it more with --memory" : "";
  return new HostError(code, `${error.message}${file}${more}`, { cause: error });
}

/** A whole file that has to fit into the guest's memory; one that cannot is not even read. */
function readSmall(what: string, path: string, limit: number, tooLarge: HostErrorCode): Uint8Array<ArrayBuffer> {
  try {
    const { size } = statSync(path);
    if (size > limit) {
      const found = `${Math.ceil(size / MIB)} MiB, the guest has ${limit / MIB} MiB of memory`;
      throw new HostError(tooLarge, `${what} ${path}: the file has ${found}; give it more with --memory`);
    }
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof HostError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const missing = code === "ENOENT" || code === "ENOTDIR";
    const why = missing ? "there is no such file" : `cannot be read (${code})`;
    throw new HostError(missing ? "file-missing" : "file-unreadable", `${what} ${path}: ${why}`, { cause });
  }
}
