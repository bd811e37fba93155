// Dependency fields: `a (>= 1) | b, c:any` is a list of groups, each a list of alternatives.
// Specification: Debian Policy, "Syntax of relationship fields".

/** One package name, with a constraint on its version where there is one. */
export interface Relation {
  name: string;
  relation?: string;
  version?: string;
}

const PATTERN =
  /^([A-Za-z0-9][A-Za-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s)]+)\s*\))?\s*(?:\[[^\]]*\])?\s*$/;

/** The alternatives of one group; names that do not parse are left out. */
function parseGroup(group: string): Relation[] {
  return group.split("|").flatMap((alternative) => {
    const match = PATTERN.exec(alternative.trim());
    if (match === null) return [];
    const [, name = "", relation, version] = match;
    return [relation === undefined ? { name } : { name, relation, version: version ?? "" }];
  });
}

/** The groups of a field's value; an absent or empty field has none. */
export function parseRelations(value: string | undefined): Relation[][] {
  if (value === undefined) return [];
  return value
    .split(",")
    .map(parseGroup)
    .filter((group) => group.length > 0);
}

/** A relation as it is written in a control file. */
export function formatRelation({ name, relation, version }: Relation): string {
  return relation === undefined ? name : `${name} (${relation} ${version})`;
}
