/** Unpacks a kernel that is compressed with gzip. Who calls it: whoever reads the files that a partition boots from. */
import { gunzipSync } from "node:zlib";
import { BootError } from "@bulkhead/machine";

const MIB = 1024 * 1024;

/**
 * The kernel as it is, or unpacked if it is a gzip file.
 * @param limit most bytes to unpack: the guest's RAM. @throws BootError `truncated` or `memory-too-small`.
 */
export function unpackKernel(kernel: Uint8Array<ArrayBuffer>, limit: number): Uint8Array {
  if (kernel[0] !== 0x1f || kernel[1] !== 0x8b) return kernel;
  try {
    return gunzipSync(kernel, { maxOutputLength: limit });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      const memory = `${(limit / MIB).toFixed(1)} MiB of memory`;
      throw new BootError("memory-too-small", `the unpacked kernel does not fit into ${memory}`, { cause });
    }
    throw new BootError("truncated", "the kernel's gzip file is damaged or cut short", { cause });
  }
}
