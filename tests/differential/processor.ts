/** Runs images on the machine: flat in M-mode, or in U-mode on pages that lie scattered over RAM. */
import { BareMachine, type Tier } from "../../tools/conformance/bare-machine.ts";
import { type Executor, type Halt, runAll } from "./executor.ts";
import { IMAGE_BASE, type Image } from "./image.ts";
import { enterUserMode, Scatter } from "./scatter.ts";

const RAM_BYTES = 16 << 20;
const MAX_SLICES = 20_000;
const MSTATUS = 0x300;
const FS_INITIAL = 1n << 13n;

/** In M-mode, where addresses are physical. @param seed of what the tier leaves to chance. */
export const flat = (tier: Tier, seed?: number): Executor => ({
  name: tier,
  run(image) {
    const machine = new BareMachine(RAM_BYTES, tier, seed);
    machine.memory.writable(IMAGE_BASE, image.bytes.length)!.set(image.bytes);
    machine.hart.writeCsr(MSTATUS, FS_INITIAL);
    const stopped = runAll(image, (start) => execute(machine, image, start));
    const data = machine.memory.readable(IMAGE_BASE + image.dataOffset, image.bytes.length - image.dataOffset)!;
    return { data, stopped };
  },
});

/** In U-mode under Sv39, where no two neighbouring pages of the image are neighbours in RAM. */
export const paged = (tier: Tier, seed?: number): Executor => ({
  name: `${tier}-paged`,
  run(image) {
    const machine = new BareMachine(RAM_BYTES, tier, seed);
    const scatter = new Scatter(machine.memory, image.bytes);
    machine.hart.writeCsr(MSTATUS, FS_INITIAL);
    enterUserMode(machine.hart, scatter.satp);
    const stopped = runAll(image, (start) => execute(machine, image, start));
    return { data: scatter.gather().subarray(image.dataOffset), stopped };
  },
});

/** Runs up to the first system call, which is behind the last program, or to whatever else stops the hart. */
function execute(machine: BareMachine, image: Image, start: number): Halt | undefined {
  const { hart } = machine;
  hart.pc = BigInt(start);
  const end = image.entries.at(-1)!;
  const cause = machine.run(MAX_SLICES, (exception) => exception);
  const pc = Number(hart.pc);
  if (pc >= end) return undefined;
  return { pc, reason: cause === undefined ? "endless loop" : `exception ${cause}` };
}
