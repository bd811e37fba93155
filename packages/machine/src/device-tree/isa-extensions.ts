/** What the harts implement, as the device tree tells it. @spec devicetree binding "riscv/extensions.yaml" */

export const ISA_BASE = "rv64i";
/** Bytes that one CBO.CLEAN, CBO.FLUSH, CBO.INVAL or CBO.ZERO works on. */
export const CACHE_BLOCK_BYTES = 64;
/** The widest translation scheme; the narrower ones are implied. */
export const MMU_TYPE = "riscv,sv57";

const singleLetter = ["i", "m", "a", "f", "d", "c"] as const;

/** Standard extensions in the order in which an ISA string lists them. */
const named = [
  "zicbom",
  "zicboz",
  "zicntr",
  "zicond",
  "zicsr",
  "zifencei",
  "zihintpause",
  "zihpm",
  "zacas",
  "zawrs",
  "zfa",
  "zfhmin",
  "zba",
  "zbb",
  "zbc",
  "zbs",
  "sstc",
  // Without "svade": that tells the supervisor that hardware updates A and D from the start.
  "svadu",
  "svinval",
  "svnapot",
  "svpbmt",
] as const;

export const isaExtensions: readonly string[] = [...singleLetter, ...named];

/** The value of `riscv,isa`, which older kernels and firmware read. */
export const isaString = `rv64${singleLetter.join("")}_${named.join("_")}`;
