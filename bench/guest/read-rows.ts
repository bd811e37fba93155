/** Reads the lines by which programs in a guest report: `@row NAME CHECKSUM NANOSECONDS`, `@value NAME NANOSECONDS`. */

import type { Measured } from "../workloads/workload.ts";

/** A program's line in what was printed, or undefined. */
export function readRow(output: string, name: string): Measured | undefined {
  const match = new RegExp(`^@row ${name} ([0-9a-f]{16}) (\\d+)\\r?$`, "m").exec(output);
  return match === null ? undefined : { checksum: match[1], seconds: Number(match[2]) / 1e9 };
}

/** All values in what was printed, in seconds by name. */
export function readValues(output: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const [, name, nanoseconds] of output.matchAll(/^@value (\S+) (\d+)\r?$/gm))
    values.set(name, Number(nanoseconds) / 1e9);
  return values;
}
