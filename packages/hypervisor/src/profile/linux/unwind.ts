/**
 * Who called: the return addresses on a kernel stack, which Linux for RISC-V links by frame pointers. Source: Linux,
 * arch/riscv/kernel/stacktrace.c. The registers in a hart's state are those of the last call or return, because translated
 * code keeps newer ones to itself; what that leaves open is decided by which function an address lies in.
 */
import type { KernelMemory } from "./kernel-memory.ts";

/** The registers that say where frames are. */
export interface FrameRegisters {
  readonly pc: bigint;
  /** `ra`, x1. */
  readonly link: bigint;
  /** `s0`, x8. */
  readonly frame: bigint;
}

const MOST_FRAMES = 48;
/** Kernel stacks are at most so large: a frame pointer that leads further leads elsewhere. */
const MOST_STACK_BYTES = 64n * 1024n;
const RETURN_AT = -8n;
const FRAME_AT = -16n;

/**
 * Addresses within the callers, the innermost first. @param functionAt something that is the same for all addresses of one
 * function of the kernel, undefined elsewhere.
 */
export function unwind(
  memory: KernelMemory,
  { pc, link, frame }: FrameRegisters,
  functionAt: (address: bigint) => string | undefined,
): bigint[] {
  const own = functionAt(pc);
  const chain = frames(memory, frame, functionAt);
  // Behind a call `ra` still leads into the function itself; on its entry it leads to the caller, whose frame is `s0`'s.
  const caller = functionAt(link - 1n);
  const known = caller === undefined || caller === own || chain[0] === link - 1n;
  return known ? chain : [link - 1n, ...chain];
}

function frames(memory: KernelMemory, first: bigint, functionAt: (address: bigint) => string | undefined): bigint[] {
  const found: bigint[] = [];
  for (let frame = first; found.length < MOST_FRAMES && frame !== 0n && (frame & 7n) === 0n; ) {
    const address = memory.pointer(frame + RETURN_AT) - 1n;
    if (address < 0n || functionAt(address) === undefined) break;
    found.push(address);
    const next = memory.pointer(frame + FRAME_AT);
    if (next <= frame || next - frame > MOST_STACK_BYTES) break;
    frame = next;
  }
  return found;
}
