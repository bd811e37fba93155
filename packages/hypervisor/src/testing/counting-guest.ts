/** A guest that counts in many pages at once and can check itself: what tests save and restore while it runs. */
import { assemble } from "@bulkhead/isa";
import { RAM_BASE } from "@bulkhead/machine";
import { tinyImage } from "./tiny-guest.ts";

export const COUNTED_PAGES = 256;
const PAGE_BYTES = 4096;
/** Where the program begins: behind the header and what `tinyImage` puts before it. */
const START = 0x20_0000 + 64 + 2 * 4;
/** What the guest prints when it is asked: all pages hold the number of rounds, or not. */
export const GOOD = "k";

// t0 is the serial port. Each round adds 1 to the number in every page; s1 counts rounds, s3 the pages left in this one.
const PROGRAM = `
  auipc s0, 16777216
  addi s1, zero, 0
  lui s4, 4096
  addi s5, zero, ${COUNTED_PAGES}
round:
  addi s1, s1, 1
  mv s2, s0
  mv s3, s5
page:
  ld t1, 0(s2)
  addi t1, t1, 1
  sd t1, 0(s2)
  add s2, s2, s4
  addi s3, s3, -1
  bnez s3, page
  lbu t1, 5(t0)
  andi t1, t1, 1
  beqz t1, round
  lbu t1, 0(t0)
  mv s2, s0
  mv s3, s5
  addi t2, zero, ${GOOD.charCodeAt(0)}
check:
  ld t1, 0(s2)
  beq t1, s1, same
  addi t2, zero, ${"x".charCodeAt(0)}
same:
  add s2, s2, s4
  addi s3, s3, -1
  bnez s3, check
  sb t2, 0(t0)
  j round
`;

export function countingImage(): Uint8Array {
  const { bytes } = assemble(PROGRAM, RAM_BASE + START);
  return tinyImage([...new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)]);
}

const S1 = 9;
const S3 = 19;

/**
 * Whether registers and pages were saved at one instant: a sentence that says why not, if not.
 * @param x the integer registers. @param load gives a page of RAM by its number.
 */
export function tornBy(x: readonly bigint[], load: (page: number) => Uint8Array): string | undefined {
  const start = START + 4096 * PAGE_BYTES;
  const counted = BigInt(COUNTED_PAGES) - x[S3];
  for (let i = 0; i < COUNTED_PAGES; i++) {
    const at = start + i * PAGE_BYTES;
    const page = load(Math.floor(at / PAGE_BYTES));
    const value = new DataView(page.buffer, page.byteOffset).getBigUint64(at % PAGE_BYTES, true);
    const rounds = BigInt(i) < counted || x[S3] === 0n ? x[S1] : x[S1] - 1n;
    // The page in hand may have been counted already, and a check of all pages leaves s3 behind.
    const inHand = BigInt(i) >= counted && value === x[S1];
    if (value !== rounds && !inHand) return `page ${i} holds ${value} in round ${x[S1]} with ${x[S3]} pages left`;
  }
  return undefined;
}
