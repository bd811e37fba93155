/** Unpacks a kernel that is compressed with gzip. Who calls it: whoever reads the kernel file, before the machine starts. */
import { BootError, sizeText } from "./boot-error.ts";
import { isGzip } from "./image.ts";

/**
 * The kernel as it is, or unpacked if it is a gzip file.
 * @param limit most bytes to unpack: the guest's RAM. @throws BootError `truncated` or `memory-too-small`.
 */
export async function unpackKernel(kernel: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  if (!isGzip(kernel)) return kernel;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = new Blob([kernel]).stream().pipeThrough(new DecompressionStream("gzip"));
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new BootError("truncated", "the kernel's gzip file is damaged or cut short", { cause });
    });
    if (done) break;
    chunks.push(value);
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new BootError("memory-too-small", `the unpacked kernel does not fit into ${sizeText(limit)} of memory`);
    }
  }
  const unpacked = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    unpacked.set(chunk, at);
    at += chunk.length;
  }
  return unpacked;
}
