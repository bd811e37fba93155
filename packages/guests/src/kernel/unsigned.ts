// Module files without the signature appended to them. Checking one costs a booting guest more than all else about a
// module: a thousand million instructions for ext4. What was fetched has been verified by Debian's own chain of
// signatures before; the kernel notes the missing one as taint E.
// Format: the kernel's "Kernel module signing facility". Called for modules that an initramfs loads.

const MARK = new TextEncoder().encode("~Module signature appended~\n");
/** Algorithm and identifier fields, then the signature's length as a big-endian 32-bit number. */
const TRAILER_BYTES = 12;

/** The module's bytes without its signature; as they are where it has none. */
export function unsigned(module: Uint8Array): Uint8Array {
  const mark = module.length - MARK.length;
  if (mark < TRAILER_BYTES || !MARK.every((byte, index) => module[mark + index] === byte)) return module;
  const length = new DataView(module.buffer, module.byteOffset).getUint32(mark - 4);
  const end = mark - TRAILER_BYTES - length;
  return end > 0 ? module.subarray(0, end) : module;
}
