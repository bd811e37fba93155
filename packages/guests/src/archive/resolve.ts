// From the packages that are wanted to all that they need, and the order to unpack them in.
// Specification: Debian Policy, "Binary Dependencies". Called by kernel/ and debian/ with an archive's index.
import { ImageError } from "../error.ts";
import { suggest } from "../images/suggest.ts";
import { type PackageIndex, type PackageRecord, satisfies } from "./package-index.ts";
import { formatRelation, type Relation } from "./relation.ts";

const groupsOf = (each: PackageRecord): Relation[][] => [...each.preDepends, ...each.depends];

function choose(index: PackageIndex, group: readonly Relation[]): PackageRecord | undefined {
  for (const wanted of group) {
    const real = index.find(wanted.name);
    if (real !== undefined && satisfies(real, wanted)) return real;
    const provider = index.providers(wanted.name).find((candidate) => satisfies(candidate, wanted));
    if (provider !== undefined) return provider;
  }
  return undefined;
}

function refuseConflicts(chosen: readonly PackageRecord[]): void {
  for (const each of chosen) {
    for (const against of [...each.conflicts, ...each.breaks].flat()) {
      const hit = chosen.find((other) => other !== each && satisfies(other, against));
      if (hit === undefined) continue;
      throw new ImageError(
        "dependency-unsatisfied",
        `${each.name} ${each.version} and ${hit.name} ${hit.version} cannot both be installed (${formatRelation(against)})`,
      );
    }
  }
}

/**
 * The wanted packages and everything they depend on, sorted by name. A group is met by what is already chosen, else by
 * its first alternative that exists, else by a provider. Throws ImageError.
 */
export function resolve(index: PackageIndex, wanted: readonly string[]): PackageRecord[] {
  const chosen = new Map<string, PackageRecord>();
  const providing = new Map<string, PackageRecord[]>();
  const queue: PackageRecord[] = [];
  const take = (each: PackageRecord) => {
    if (chosen.has(each.name)) return;
    chosen.set(each.name, each);
    for (const { name } of each.provides) providing.set(name, [...(providing.get(name) ?? []), each]);
    queue.push(each);
  };
  for (const name of wanted) {
    const found = index.find(name) ?? index.providers(name)[0];
    if (found === undefined) {
      const near = suggest(name, index.names());
      const hint = near === undefined ? "" : `; did you mean ${near}?`;
      throw new ImageError("package-missing", `the archive has no package ${name}${hint}`);
    }
    take(found);
  }
  const met = (group: readonly Relation[]) =>
    group.some((relation) => {
      const own = chosen.get(relation.name);
      if (own !== undefined && satisfies(own, relation)) return true;
      return providing.get(relation.name)?.some((each) => satisfies(each, relation)) ?? false;
    });
  for (let each = queue.shift(); each !== undefined; each = queue.shift()) {
    for (const group of groupsOf(each)) {
      if (met(group)) continue;
      const choice = choose(index, group);
      if (choice === undefined) {
        const text = group.map(formatRelation).join(" | ");
        throw new ImageError("dependency-unsatisfied", `${each.name} needs ${text}, which the archive does not have`);
      }
      take(choice);
    }
  }
  const all = [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  refuseConflicts(all);
  return all;
}

/**
 * What the named packages recommend, as far as it can be installed beside `wanted`; not what the recommended packages
 * recommend in turn. `gcc` without its recommended C library headers compiles nothing.
 */
export function recommended(index: PackageIndex, names: readonly string[], wanted: readonly string[]): string[] {
  const found: string[] = [];
  for (const group of names.flatMap((name) => index.find(name)?.recommends ?? [])) {
    const choice = choose(index, group);
    if (choice === undefined) continue;
    try {
      resolve(index, [...wanted, ...found, choice.name]);
      found.push(choice.name);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
    }
  }
  return found;
}

/**
 * The chosen packages in batches: all that a package pre-depends on, with their own dependencies, lies in earlier
 * batches where the archive has no circle. Configure a batch before unpacking the next.
 */
export function batches(chosen: readonly PackageRecord[]): PackageRecord[][] {
  const targets = (groups: readonly Relation[][]) =>
    groups.flatMap((group) => chosen.find((each) => group.some((relation) => satisfies(each, relation))) ?? []);
  const needs = new Map(chosen.map((each) => [each, targets(each.depends)]));
  const before = new Map(chosen.map((each) => [each, targets(each.preDepends)]));
  const level = new Map(chosen.map((each) => [each, 0]));
  const at = (each: PackageRecord) => level.get(each) ?? 0;
  // Raise levels until nothing changes; a circle through a pre-dependency would raise for ever, hence the bound.
  for (let changed = true, round = 0; changed && round < chosen.length; round++) {
    changed = false;
    for (const each of chosen) {
      const raised = Math.max(
        at(each),
        ...(before.get(each) ?? []).map((other) => closureLevel(other, needs, before, at) + 1),
      );
      if (raised > at(each) && raised <= chosen.length) {
        level.set(each, raised);
        changed = true;
      }
    }
  }
  const levels = [...new Set(level.values())].sort((a, b) => a - b);
  return levels.map((wanted) => chosen.filter((each) => at(each) === wanted));
}

type Targets = ReadonlyMap<PackageRecord, readonly PackageRecord[]>;

function closureLevel(
  root: PackageRecord,
  needs: Targets,
  before: Targets,
  at: (each: PackageRecord) => number,
): number {
  const seen = new Set([root]);
  for (const each of seen)
    for (const other of [...(needs.get(each) ?? []), ...(before.get(each) ?? [])]) seen.add(other);
  return Math.max(...[...seen].map(at));
}
