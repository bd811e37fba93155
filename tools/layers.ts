/** Fails if an import points upwards in the layers, or if a package that runs in a browser too reaches for Node. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** From the bottom up; a package may import from those before it. */
const layers = ["isa", "machine", "network", "devices", "guests", "hypervisor", "bulkhead"];
/** Packages that run in a browser too: only their adapters and tests may use Node. */
const portable = ["isa", "machine", "network", "devices", "hypervisor"];
const isNodeAdapter = (file: string): boolean => /-node\.ts$|\.test\.ts$/.test(file);

const packageOf = (file: string): string | undefined => /^packages\/([^/]+)\//.exec(file)?.[1];
const root = join(import.meta.dirname, "..");

function* imports(file: string): Generator<string> {
  const text = readFileSync(join(root, file), "utf8");
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) yield match[1]!;
}

/** The package an import leads to, or undefined for a library. */
function target(file: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return packageOf(relative(root, join(root, dirname(file), specifier)));
  return /^@bulkhead\/([^/]+)/.exec(specifier)?.[1];
}

function problems(file: string): string[] {
  const own = packageOf(file)!;
  const found: string[] = [];
  for (const specifier of imports(file)) {
    const other = target(file, specifier);
    if (other !== undefined && layers.indexOf(other) > layers.indexOf(own)) {
      found.push(`${file}: ${own} is below ${other} and must not import ${specifier}`);
    }
    if (other !== undefined && other !== own && specifier.startsWith(".")) {
      found.push(`${file}: import ${other} by its name, not by the path ${specifier}`);
    }
    if (specifier.startsWith("node:") && portable.includes(own) && !isNodeAdapter(file)) {
      found.push(`${file}: ${own} runs in a browser too; move the use of ${specifier} to a file named *-node.ts`);
    }
  }
  return found;
}

const files = globSync("packages/*/src/**/*.ts", { cwd: root });
const unknown = files.filter((file) => !layers.includes(packageOf(file)!)).map((file) => `${file}: not in a layer`);
const found = [...unknown, ...files.flatMap(problems)];
for (const problem of found) console.error(problem);
console.log(`layers: ${files.length} files, ${found.length} problems`);
process.exitCode = found.length === 0 ? 0 : 1;
