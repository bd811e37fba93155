/** Reads what a partition boots from, on its own thread, and turns what is wrong with it into errors for the user. */
import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type BootDescription, BootError, type BootSource, StateError, unpackKernel } from "@bulkhead/machine";
import { HostError, type HostErrorCode } from "../host-error.ts";
import type { PartitionDescription } from "../partition/description.ts";

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

/** The files of a description. Errors: `file-missing`, `file-unreadable`, `initrd-too-large`, `memory-too-small`. */
export async function readBoot({ boot, memoryMiB }: PartitionDescription): Promise<BootDescription> {
  const bytes = memoryMiB * MIB;
  const initrd = boot.initrd === undefined ? undefined : readSmall("initrd", boot.initrd, bytes, "initrd-too-large");
  const rest = { initrd, bootArguments: boot.append };
  const kernel = boot.kernel === undefined ? undefined : await readKernel(boot.kernel, bytes);
  if ("firmware" in boot) {
    const firmware = readSmall("firmware", boot.firmware, bytes, "memory-too-small");
    return { ...rest, firmware, kernel };
  }
  if (kernel === undefined) throw new HostError("setting-invalid", "expected a kernel or firmware to start");
  return { ...rest, kernel };
}

/** The files of a description for a machine that may never need them. Errors when it does: as of `readBoot`. */
export function laterBoot({ boot, memoryMiB }: PartitionDescription): BootSource {
  const bytes = memoryMiB * MIB;
  const kernel = (): Uint8Array | undefined =>
    boot.kernel === undefined
      ? undefined
      : unpacked(readSmall("kernel", boot.kernel, bytes, "memory-too-small"), bytes);
  const initrd = (): Uint8Array | undefined =>
    boot.initrd === undefined ? undefined : readSmall("initrd", boot.initrd, bytes, "initrd-too-large");
  const load = (): BootDescription => {
    const rest = { initrd: initrd(), bootArguments: boot.append };
    if ("firmware" in boot) {
      const firmware = readSmall("firmware", boot.firmware, bytes, "memory-too-small");
      return { ...rest, firmware, kernel: kernel() };
    }
    return { ...rest, kernel: kernel() ?? new Uint8Array(0) };
  };
  return { start: "firmware" in boot ? "machine" : "supervisor", load };
}

function unpacked(kernel: Uint8Array<ArrayBuffer>, limit: number): Uint8Array {
  if (kernel[0] !== 0x1f || kernel[1] !== 0x8b) return kernel;
  try {
    return gunzipSync(kernel, { maxOutputLength: limit });
  } catch (cause) {
    throw new BootError("truncated", "the kernel's gzip file is damaged, or too large for the guest's memory", {
      cause,
    });
  }
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

async function readKernel(path: string, memoryBytes: number): Promise<Uint8Array> {
  return unpackKernel(readSmall("kernel", path, memoryBytes, "memory-too-small"), memoryBytes);
}

/** A whole file that has to fit into the guest's memory; one that cannot is not even read. */
function readSmall(what: string, path: string, limit: number, tooLarge: HostErrorCode): Uint8Array<ArrayBuffer> {
  try {
    const { size } = statSync(path);
    if (size > limit) {
      const found = `${Math.ceil(size / MIB)} MiB, the guest has ${limit / MIB} MiB of memory`;
      throw new HostError(tooLarge, `${what} ${path}: the file has ${found}; give it more with --memory`);
    }
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    if (cause instanceof HostError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const missing = code === "ENOENT" || code === "ENOTDIR";
    const why = missing ? "there is no such file" : `cannot be read (${code})`;
    throw new HostError(missing ? "file-missing" : "file-unreadable", `${what} ${path}: ${why}`, { cause });
  }
}
