/** The hart list parameter of an SBI call. @spec sbi "Hart list parameter" */

const ALL_HARTS = 0xffff_ffff_ffff_ffffn;

/** Numbers of the harts that a mask names, or undefined if the base or a bit names none of the `count` harts. */
export function hartsOf(mask: bigint, base: bigint, count: number): number[] | undefined {
  if (base === ALL_HARTS) return Array.from({ length: count }, (_, hart) => hart);
  if (base >= BigInt(count)) return undefined;
  const first = Number(base);
  if (mask >> BigInt(count - first) !== 0n) return undefined;
  const harts: number[] = [];
  for (let hart = first; hart < count; hart++) if ((mask >> BigInt(hart - first)) & 1n) harts.push(hart);
  return harts;
}
