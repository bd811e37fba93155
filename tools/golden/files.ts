/** Golden files: what the JIT makes of the snippets, kept as text so that a change in code generation is reviewed as a diff. */
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";
import { readable } from "./readable.ts";
import { type Snippet, snippets } from "./snippets.ts";
import { temperatures, translate } from "./translate.ts";

export interface Golden {
  readonly name: string;
  /** What the file says; undefined if there is none. */
  readonly kept: string | undefined;
  /** What it has to say. */
  readonly made: string;
}

/** Every snippet's file as it is and as it has to be. */
export async function goldenFiles(): Promise<Golden[]> {
  const library = await wabt();
  return snippets.map((snippet) => ({
    name: snippet.name,
    kept: read(snippet.name),
    made: `${heading(snippet)}${readable(library, translate(snippet), temperatures)}`,
  }));
}

export function keep({ name, made }: Golden): void {
  writeFileSync(path(name), made);
}

const path = (name: string): URL => new URL(`wat/${name}.wat`, import.meta.url);

function read(name: string): string | undefined {
  try {
    return readFileSync(path(name), "utf8");
  } catch {
    return undefined;
  }
}

/** What the snippet shows, and its source. */
function heading({ shows, source }: Snippet): string {
  const lines = source.split("\n").filter((line) => line.trim() !== "");
  const margin = Math.min(...lines.map((line) => line.search(/\S/)));
  return `${[shows, "", ...lines.map((line) => `  ${line.slice(margin)}`), ""]
    .map((line) => `;; ${line}`.trimEnd())
    .join("\n")}\n`;
}
