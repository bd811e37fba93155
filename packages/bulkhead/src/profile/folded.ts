/** A profile as folded stacks, one line per stack with its samples: what flamegraph.pl and speedscope read. */
import type { Profile } from "@bulkhead/hypervisor";

/** The file's text, in lines. */
export function* foldedStacks({ samples, stacks, frames }: Profile): Generator<string> {
  const counts = new Map<number, number>();
  for (const stack of samples.stacks) counts.set(stack, (counts.get(stack) ?? 0) + 1);
  const lines = new Map<string, number>();
  for (const [stack, count] of counts) {
    const line = stacks[stack].map((frame) => frames[frame].name.replace(/[;\s]+/g, "_")).join(";");
    lines.set(line, (lines.get(line) ?? 0) + count);
  }
  for (const [line, count] of [...lines].sort()) yield `${line} ${count}\n`;
}
