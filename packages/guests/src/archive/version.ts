// Debian's ordering of package versions.
// Specification: Debian Policy, "Version" (epoch, upstream version, revision; `~` sorts before the end).

/** Where a character stands among non-digits: `~`, the end, letters, all else. */
function order(character: string | undefined): number {
  if (character === "~") return -1;
  if (character === undefined || /\d/.test(character)) return 0;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function comparePart(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    while ((i < a.length && !/\d/.test(a[i] as string)) || (j < b.length && !/\d/.test(b[j] as string))) {
      const difference = order(a[i]) - order(b[j]);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    const left = /^\d*/.exec(a.slice(i))?.[0] ?? "";
    const right = /^\d*/.exec(b.slice(j))?.[0] ?? "";
    const difference = BigInt(left || "0") - BigInt(right || "0");
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    i += left.length;
    j += right.length;
  }
  return 0;
}

function split(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(":");
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return {
    epoch: colon < 0 ? "0" : version.slice(0, colon),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? "0" : rest.slice(dash + 1),
  };
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  return (
    comparePart(left.epoch, right.epoch) ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  );
}

/** The relations of dependency fields; `<` and `>` are the obsolete spellings of `<=` and `>=`. */
const holds: Readonly<Record<string, (difference: number) => boolean>> = {
  "<<": (difference) => difference < 0,
  "<=": (difference) => difference <= 0,
  "<": (difference) => difference <= 0,
  "=": (difference) => difference === 0,
  ">=": (difference) => difference >= 0,
  ">": (difference) => difference >= 0,
  ">>": (difference) => difference > 0,
};

/** Whether `version relation wanted` is true, e.g. `1.2 >= 1.0`. An unknown relation never holds. */
export function versionHolds(version: string, relation: string, wanted: string): boolean {
  return holds[relation]?.(compareVersions(version, wanted)) ?? false;
}
