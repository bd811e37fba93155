/** Kernel Images of a few instructions that tests can start where there is no Linux: they print, echo, loop or stop. */

// t0 holds the serial port's address and t2 the power switch's; t1 is free.
const [t0, t1, t2] = [5, 6, 7];
const lui = (rd: number, upper: number): number => ((upper << 12) | (rd << 7) | 0x37) >>> 0;
const immediate = (opcode: number, f3: number, rd: number, rs: number, imm: number): number =>
  (((imm & 0xfff) << 20) | (rs << 15) | (f3 << 12) | (rd << 7) | opcode) >>> 0;
const addi = (rd: number, rs: number, imm: number): number => immediate(0x13, 0, rd, rs, imm);
const andi = (rd: number, rs: number, imm: number): number => immediate(0x13, 7, rd, rs, imm);
const lbu = (rd: number, rs: number, imm: number): number => immediate(0x03, 4, rd, rs, imm);
const store = (f3: number, from: number, to: number): number => ((from << 20) | (to << 15) | (f3 << 12) | 0x23) >>> 0;

/** A branch back over `words` instructions: when the register is 0, or always. */
function back(words: number, register = 0): number {
  const offset = -4 * words;
  const low = (((offset >> 1) & 0xf) << 8) | (((offset >> 11) & 1) << 7);
  const high = (((offset >> 5) & 0x3f) << 25) | (((offset >> 12) & 1) << 31);
  return (high | (register << 15) | low | 0x63) >>> 0;
}

const WAIT_FOR_INTERRUPT = 0x1050_0073;
const JUMP_OVER_HEADER = 0x0400_006f;
const HEADER_BYTES = 64;
const SERIAL_PORT = 0x1_0000;
const POWER_SWITCH = 0x100;

const start = [lui(t0, SERIAL_PORT), lui(t2, POWER_SWITCH)];
const toSwitch = (value: number): number[] => [
  lui(t1, (value + 0x800) >>> 12),
  addi(t1, t1, value & 0xfff),
  store(2, t1, t2),
  back(0),
];

/** What a tiny guest can do, in order; all but `print` go on for ever. */
export const tiny = {
  print: (text: string): number[] => [...text].flatMap((c) => [addi(t1, 0, c.charCodeAt(0)), store(0, t1, t0)]),
  powerOff: toSwitch(0x5555),
  reset: toSwitch(0x7777),
  /** Sends back every byte that it receives. */
  echo: [lbu(t1, t0, 5), andi(t1, t1, 1), back(2, t1), lbu(t1, t0, 0), store(0, t1, t0), back(5)],
  loop: [back(0)],
  /** Waits with every interrupt off. */
  halt: [WAIT_FOR_INTERRUPT, back(1)],
} as const;

/** The Image of a guest that does these things. @param memoryBytes how much memory its header asks for. */
export function tinyImage(steps: readonly number[], memoryBytes = 4096): Uint8Array {
  const program = [...start, ...steps];
  const image = new Uint8Array(HEADER_BYTES + program.length * 4);
  const view = new DataView(image.buffer);
  view.setUint32(0, JUMP_OVER_HEADER, true);
  view.setBigUint64(8, 0x20_0000n, true);
  view.setBigUint64(16, BigInt(memoryBytes), true);
  image.set(new TextEncoder().encode("RISCV\0\0\0RSC\x05"), 48);
  for (const [i, word] of program.entries()) view.setUint32(HEADER_BYTES + i * 4, word, true);
  return image;
}
