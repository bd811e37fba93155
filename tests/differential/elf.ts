/** The smallest static RISC-V ELF executable: one segment that may be read, written and executed. */
import { IMAGE_BASE } from "./image.ts";

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const PAGE = 4096;
const [ET_EXEC, EM_RISCV, PT_LOAD, PF_RWX] = [2, 243, 1, 7];
/** Compressed instructions, and floating-point registers of double precision. */
const EF_RISCV_RVC_FLOAT_ABI_DOUBLE = 0x5;

/** An executable whose image is loaded at `IMAGE_BASE` and starts there. @spec "System V ABI, ELF" */
export function writeElf(image: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PAGE + image.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ET_EXEC, true);
  view.setUint16(18, EM_RISCV, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(IMAGE_BASE), true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  view.setUint32(48, EF_RISCV_RVC_FLOAT_ABI_DOUBLE, true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, HEADER_BYTES, true);

  view.setUint32(HEADER_BYTES, PT_LOAD, true);
  view.setUint32(HEADER_BYTES + 4, PF_RWX, true);
  view.setBigUint64(HEADER_BYTES + 8, BigInt(PAGE), true);
  view.setBigUint64(HEADER_BYTES + 16, BigInt(IMAGE_BASE), true);
  view.setBigUint64(HEADER_BYTES + 24, BigInt(IMAGE_BASE), true);
  view.setBigUint64(HEADER_BYTES + 32, BigInt(image.length), true);
  view.setBigUint64(HEADER_BYTES + 40, BigInt(image.length), true);
  view.setBigUint64(HEADER_BYTES + 48, BigInt(PAGE), true);
  bytes.set(image, PAGE);
  return bytes;
}
