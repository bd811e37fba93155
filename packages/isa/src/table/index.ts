/** All instructions. The order gives each its index; extensions keep their manual's order. */
import type { CompressedInstruction, Instruction } from "../instruction.ts";
import { a, zacas, zawrs } from "./a.ts";
import { c } from "./c.ts";
import { d } from "./d.ts";
import { f } from "./f.ts";
import { i, zifencei, zihintpause } from "./i.ts";
import { m } from "./m.ts";
import { privileged, svinval, zicbom, zicboz, zicsr } from "./system.ts";
import { zba, zbb, zbc, zbs, zicond } from "./zb.ts";
import { zfa } from "./zfa.ts";
import { zfhmin } from "./zfhmin.ts";

/** Extensions by the name that the device tree gives them. */
export const extensions = {
  i,
  m,
  a,
  f,
  d,
  zicsr,
  zifencei,
  zihintpause,
  zba,
  zbb,
  zbc,
  zbs,
  zicond,
  zicbom,
  zicboz,
  zacas,
  zawrs,
  zfa,
  zfhmin,
  svinval,
  privileged,
} satisfies Record<string, readonly Instruction[]>;

export const instructions: readonly Instruction[] = Object.values(extensions).flat();
export const compressedInstructions: readonly CompressedInstruction[] = c;
