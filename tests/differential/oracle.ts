/** Runs images on the instruction oracle, with the little of an environment that they need: `fcsr` and cache blocks. */
import { type Decoded, decode, type OracleState, step } from "@bulkhead/isa";
import { type Executor, type Halt, runAll } from "./executor.ts";
import { IMAGE_BASE, type Image } from "./image.ts";

const CACHE_BLOCK = 64;
const MAX_STEPS = 50_000_000;

export const oracle: Executor = {
  name: "oracle",
  run(image) {
    const bytes = image.bytes.slice();
    const stopped = runAll(image, (start) => execute(image, bytes, start));
    return { data: bytes.subarray(image.dataOffset), stopped };
  },
};

class OutOfImage extends Error {}

function execute(image: Image, bytes: Uint8Array, start: number): Halt | undefined {
  const view = new DataView(bytes.buffer);
  const state: OracleState = {
    x: Array.from({ length: 32 }, () => 0n),
    f: Array.from({ length: 32 }, () => 0n),
    pc: BigInt(start),
    fflags: 0,
    frm: 0,
    reservation: undefined,
    memory: {
      load: (length, address) => read(view, offsetOf(bytes, address, length), length),
      store: (length, address, value) => write(view, offsetOf(bytes, address, length), length, value),
    },
  };
  const end = BigInt(image.entries.at(-1)!);
  for (let count = 0; state.pc !== end; count++) {
    const pc = Number(state.pc);
    const offset = pc - IMAGE_BASE;
    if (offset < 0 || offset + 4 > image.dataOffset) return { pc, reason: "jump out of the code" };
    const decoded = decode(view.getUint32(offset, true));
    if (decoded === undefined) return { pc, reason: "illegal instruction" };
    if (count > MAX_STEPS) return { pc, reason: "endless loop" };
    try {
      const reason = perform(state, decoded, bytes);
      if (reason !== undefined) return { pc, reason };
    } catch (fault) {
      if (fault instanceof OutOfImage) return { pc, reason: "access out of the image" };
      throw fault;
    }
  }
  return undefined;
}

function perform(state: OracleState, decoded: Decoded, bytes: Uint8Array): string | undefined {
  const event = step(state, decoded);
  if (event === undefined) return undefined;
  state.pc += BigInt(decoded.length);
  if (event.kind === "csr") return accessFloatControl(state, decoded);
  if (event.operation === "cbo.zero") {
    const offset = offsetOf(bytes, state.x[decoded.rs1]! & ~BigInt(CACHE_BLOCK - 1), CACHE_BLOCK);
    bytes.fill(0, offset, offset + CACHE_BLOCK);
    return undefined;
  }
  return ["fence.i", "cbo.clean", "cbo.flush"].includes(event.operation) ? undefined : event.operation;
}

/** Zicsr on `fflags`, `frm` and `fcsr`. */
function accessFloatControl(state: OracleState, { instruction, rd, rs1, imm }: Decoded): string | undefined {
  const fcsr = (state.frm << 5) | state.fflags;
  const [shift, mask] = imm === 1 ? [0, 0x1f] : imm === 2 ? [5, 7] : [0, 0xff];
  if (imm < 1 || imm > 3) return "access to an unknown CSR";
  const old = (fcsr >> shift) & mask;
  const source = instruction.name.endsWith("i") ? rs1 : Number(state.x[rs1]! & 0xffn);
  const operation = instruction.name.slice(0, 5);
  const value = (operation === "csrrw" ? source : operation === "csrrs" ? old | source : old & ~source) & mask;
  const result = (fcsr & ~(mask << shift)) | (value << shift);
  state.frm = result >> 5;
  state.fflags = result & 0x1f;
  if (rd !== 0) state.x[rd] = BigInt(old);
  return undefined;
}

function offsetOf(bytes: Uint8Array, address: bigint, length: number): number {
  const offset = Number(address) - IMAGE_BASE;
  if (offset < 0 || offset + length > bytes.length) throw new OutOfImage();
  return offset;
}

function read(view: DataView, offset: number, length: number): bigint {
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(offset + i));
  return value;
}

function write(view: DataView, offset: number, length: number, value: bigint): void {
  for (let i = 0; i < length; i++) view.setUint8(offset + i, Number((value >> BigInt(8 * i)) & 0xffn));
}
