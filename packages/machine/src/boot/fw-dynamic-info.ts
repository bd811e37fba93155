/** What firmware learns of the next stage from `a2`. @spec OpenSBI "FW_DYNAMIC", structure version 2 */

/** "OSBI", little-endian. */
const MAGIC = 0x4942_534fn;
const VERSION = 2n;
const MODE_SUPERVISOR = 1n;
const NO_OPTIONS = 0n;
const BOOT_HART = 0n;

/** The structure's bytes: six little-endian doublewords. An address of 0 says that there is no next stage, as on QEMU. */
export function fwDynamicInfo(nextStage: number): Uint8Array {
  const fields = [MAGIC, VERSION, BigInt(nextStage), MODE_SUPERVISOR, NO_OPTIONS, BOOT_HART];
  const bytes = new Uint8Array(fields.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, field] of fields.entries()) view.setBigUint64(index * 8, field, true);
  return bytes;
}
