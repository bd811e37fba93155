/** The name that a mistyped one was probably meant to be. */

/** Edits that turn one text into the other: insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i][j] = Math.min(replaced, rows[i - 1][j] + 1, rows[i][j - 1] + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}

/** The nearest of the names, or undefined when none is near: half of its letters would have to change. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const near = names
    .map((candidate) => ({
      candidate,
      distance: wanted !== "" && candidate.startsWith(wanted) ? 0 : editDistance(wanted, candidate),
    }))
    .filter(({ candidate, distance }) => distance * 2 < Math.max(candidate.length, wanted.length));
  near.sort((a, b) => a.distance - b.distance);
  return near[0]?.candidate;
}
