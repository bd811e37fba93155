/** Says what went wrong in a form from which it can be found: the program's listing, its initial state, the differences. */
import { disassemble, isCompressed } from "@bulkhead/isa";
import { assemble } from "./assemble.ts";
import type { Disagreement } from "./campaign.ts";
import { type Program, SCRATCH_REACH } from "./program.ts";

export function report({ program, executor, complaints }: Disagreement): string {
  return [`${program.name}: ${executor} disagrees with QEMU`, ...description(program), ...complaints].join("\n");
}

/** What a program is: its listing and its initial state, in lines. */
export function description(program: Program): string[] {
  return [
    `x${program.base} points to the middle of the scratch memory`,
    ...listing(program),
    `initially ${initialState(program).join(" ")}`,
  ];
}

function listing({ items }: Program): string[] {
  const { bytes } = assemble(items);
  const view = new DataView(bytes.buffer);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const half = view.getUint16(at, true);
    const word = isCompressed(half) ? half : view.getUint32(at, true);
    lines.push(`${hex(at).padStart(6)}: ${hex(word).padEnd(8)}  ${disassemble(word)}`);
    at += isCompressed(half) ? 2 : 4;
  }
  return lines;
}

/** Everything that is not 0. */
function initialState({ base, initial }: Program): string[] {
  const shown = (values: readonly bigint[], name: (index: number) => string) =>
    values.flatMap((value, index) => (value === 0n ? [] : [`${name(index)}=0x${hex(value)}`]));
  return [
    `fcsr=0x${hex(initial.fcsr)}`,
    ...shown(initial.x.with(0, 0n).with(base, 0n), (index) => `x${index}`),
    ...shown(initial.f, (index) => `f${index}`),
    ...shown(initial.scratch, (index) => `[${8 * index - SCRATCH_REACH}]`),
  ];
}

const hex = (value: number | bigint): string => value.toString(16);
