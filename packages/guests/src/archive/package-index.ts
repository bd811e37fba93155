// The archive's list of packages (a `Packages` file) and what can be asked of it.
// Specification: Debian repository format, "Packages Indices". Filled by archive/client.ts.
import { ImageError } from "../error.ts";
import { parseParagraph } from "./deb822.ts";
import { parseRelations, type Relation } from "./relation.ts";
import { compareVersions, versionHolds } from "./version.ts";

/** What the index says of one package; sizes in bytes. */
export interface PackageRecord {
  name: string;
  version: string;
  architecture: string;
  priority: string;
  essential: boolean;
  filename: string;
  size: number;
  installedBytes: number;
  sha256: string;
  preDepends: Relation[][];
  depends: Relation[][];
  recommends: Relation[][];
  conflicts: Relation[][];
  breaks: Relation[][];
  provides: Relation[];
}

function record(text: string): PackageRecord {
  const fields = parseParagraph(text);
  const need = (name: string) => {
    const value = fields.get(name);
    if (value === undefined || value === "") {
      throw new ImageError("archive-invalid", `package list: ${fields.get("package") ?? "an entry"} has no ${name}`);
    }
    return value;
  };
  const sha256 = need("sha256").toLowerCase();
  const filename = need("filename");
  const size = Number(need("size"));
  if (!/^[0-9a-f]{64}$/.test(sha256) || !Number.isSafeInteger(size) || /(^|\/)\.\.(\/|$)|^\//.test(filename)) {
    throw new ImageError("archive-invalid", `package list: ${need("package")} has a wrong size, sum or file name`);
  }
  return {
    name: need("package"),
    version: need("version"),
    architecture: need("architecture"),
    priority: fields.get("priority") ?? "optional",
    essential: fields.get("essential") === "yes",
    filename,
    size,
    installedBytes: Number(fields.get("installed-size") ?? 0) * 1024,
    sha256,
    preDepends: parseRelations(fields.get("pre-depends")),
    depends: parseRelations(fields.get("depends")),
    recommends: parseRelations(fields.get("recommends")),
    conflicts: parseRelations(fields.get("conflicts")),
    breaks: parseRelations(fields.get("breaks")),
    provides: parseRelations(fields.get("provides")).flat(),
  };
}

/** Whether a package, by its own name or by what it provides, fulfils a relation. */
export function satisfies(candidate: PackageRecord, wanted: Relation): boolean {
  const versionOk = (version: string) =>
    wanted.relation === undefined || versionHolds(version, wanted.relation, wanted.version ?? "");
  if (candidate.name === wanted.name) return versionOk(candidate.version);
  return candidate.provides.some((provided) => {
    if (provided.name !== wanted.name) return false;
    return wanted.relation === undefined || (provided.version !== undefined && versionOk(provided.version));
  });
}

/** An archive's packages. Paragraphs stay text until they are asked for: a usual index has 66,000. */
export class PackageIndex {
  readonly #paragraphs = new Map<string, string[]>();
  readonly #records = new Map<string, PackageRecord>();
  readonly #providers = new Map<string, Set<string>>();
  readonly #marked = new Set<string>();

  /** Adds one paragraph of a Packages file. */
  add(paragraph: string): void {
    const name = /^Package: *(\S+)/m.exec(paragraph)?.[1];
    if (name === undefined) return;
    const known = this.#paragraphs.get(name);
    if (known === undefined) this.#paragraphs.set(name, [paragraph]);
    else known.push(paragraph);
    if (/^(?:Essential: *yes|Priority: *required) *$/m.test(paragraph)) this.#marked.add(name);
    const provides = /^Provides: *(.*(?:\n[ \t].*)*)/m.exec(paragraph)?.[1];
    for (const { name: provided } of parseRelations(provides?.replaceAll("\n", "")).flat()) {
      const names = this.#providers.get(provided) ?? new Set();
      this.#providers.set(provided, names.add(name));
    }
  }

  /** Adds a whole stream of paragraphs. */
  async read(stream: AsyncIterable<Uint8Array>): Promise<this> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const paragraphs = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
      rest = paragraphs.pop() ?? "";
      for (const paragraph of paragraphs) this.add(paragraph);
    }
    this.add(rest + decoder.decode());
    return this;
  }

  get size(): number {
    return this.#paragraphs.size;
  }

  /** The newest package of exactly this name. Throws ImageError where its entry is broken. */
  find(name: string): PackageRecord | undefined {
    const known = this.#records.get(name);
    if (known !== undefined) return known;
    const [first, ...others] = (this.#paragraphs.get(name) ?? []).map(record);
    if (first === undefined) return undefined;
    const newest = others.reduce(
      (best, next) => (compareVersions(next.version, best.version) > 0 ? next : best),
      first,
    );
    this.#records.set(name, newest);
    return newest;
  }

  /** The packages that provide a name, in alphabetical order. */
  providers(name: string): PackageRecord[] {
    const names = [...(this.#providers.get(name) ?? [])].sort();
    return names.flatMap((each) => this.find(each) ?? []);
  }

  /** What every installation has: essential packages and those of priority "required". */
  required(): PackageRecord[] {
    return [...this.#marked].sort().flatMap((name) => this.find(name) ?? []);
  }

  /** Every name, for suggestions. */
  names(): Iterable<string> {
    return this.#paragraphs.keys();
  }
}
