// dpkg's database for packages whose files have been laid out but not configured: "unpacked", as dpkg would leave them.
// Format: dpkg(1) "Package states", deb-triggers(5), and the files below /var/lib/dpkg. Called by debian/payload.ts.
import { createHash } from "node:crypto";
import { parseParagraph } from "../archive/deb822.ts";

/** A package's control files and the paths it lays out, in the order of its archive. */
export interface UnpackedPackage {
  control: string;
  /** Control files other than `control`: maintainer scripts, conffiles, md5sums … */
  members: { name: string; mode: number; content: Uint8Array }[];
  /** Absolute paths; the root is `/.`. */
  paths: string[];
  /** MD5 sums of the configuration files, by absolute path. */
  conffileSums: ReadonlyMap<string, string>;
}

/** A file of the database, relative to the root of the file system. */
export interface DatabaseFile {
  name: string;
  mode: number;
  content: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** MD5 is what dpkg compares configuration files by. */
export const md5 = (content: Uint8Array): string => createHash("md5").update(content).digest("hex");

/** The paths a package's `conffiles` lists; those to be removed on upgrade are not files it lays out. */
export function conffilePaths(members: UnpackedPackage["members"]): string[] {
  const listed = members.find(({ name }) => name === "conffiles");
  if (listed === undefined) return [];
  return decoder
    .decode(listed.content)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("/"));
}

/** The name dpkg files a package under: with its architecture where several may be installed at once. */
function filedName(control: string): string {
  const fields = parseParagraph(control);
  const name = fields.get("package") ?? "";
  return fields.get("multi-arch") === "same" ? `${name}:${fields.get("architecture")}` : name;
}

function stanza({ control, conffileSums }: UnpackedPackage): string {
  const [first = "", ...rest] = control.trim().split("\n");
  const conffiles = [...conffileSums].map(([path, sum]) => ` ${path} ${sum}\n`).join("");
  return `${first}\nStatus: install ok unpacked\n${rest.join("\n")}\n${conffiles && `Conffiles:\n${conffiles}`}\n`;
}

/** Which packages are interested in which triggers, as files of /var/lib/dpkg/triggers. */
function triggerFiles(packages: readonly UnpackedPackage[]): Map<string, string> {
  const files = new Map<string, string>();
  const append = (name: string, line: string) => files.set(name, `${files.get(name) ?? ""}${line}\n`);
  for (const each of packages) {
    const member = each.members.find(({ name }) => name === "triggers");
    if (member === undefined) continue;
    for (const line of decoder.decode(member.content).split("\n")) {
      const match = /^\s*interest(-await|-noawait)?\s+(\S+)/.exec(line);
      if (match === null) continue;
      const [, wait, trigger = ""] = match;
      const owner = `${filedName(each.control)}${wait === "-noawait" ? "/noawait" : ""}`;
      if (trigger.startsWith("/")) append("File", `${trigger} ${owner}`);
      else append(trigger, owner);
    }
  }
  return files;
}

/** Every file of the database. */
export function dpkgDatabase(packages: readonly UnpackedPackage[]): DatabaseFile[] {
  const directory = "var/lib/dpkg";
  const files: DatabaseFile[] = [];
  const add = (name: string, content: string | Uint8Array, mode = 0o644) =>
    files.push({
      name: `${directory}/${name}`,
      mode,
      content: typeof content === "string" ? encoder.encode(content) : content,
    });
  add("status", packages.map(stanza).join(""));
  add("available", "");
  add("diversions", "");
  add("statoverride", "");
  add("info/format", "1\n");
  for (const each of packages) {
    const name = filedName(each.control);
    add(`info/${name}.list`, each.paths.map((path) => `${path}\n`).join(""));
    for (const member of each.members) add(`info/${name}.${member.name}`, member.content, member.mode & 0o755);
  }
  for (const [name, content] of triggerFiles(packages)) add(`triggers/${name}`, content);
  return files;
}

/** apt's note of which packages nobody asked for, so that it may remove them with what needed them. */
export function extendedStates(
  packages: readonly { name: string }[],
  roots: ReadonlySet<string>,
  architecture: string,
): string {
  return packages
    .filter(({ name }) => !roots.has(name))
    .map(({ name }) => `Package: ${name}\nArchitecture: ${architecture}\nAuto-Installed: 1\n\n`)
    .join("");
}
