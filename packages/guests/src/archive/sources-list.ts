// Which package mirrors this host's apt uses: one-line `.list` and deb822 `.sources` files.
// Specification: sources.list(5). Read by archive/mirror.ts.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseParagraphs, words } from "./deb822.ts";

/** One place packages come from. */
export interface Source {
  uri: string;
  suite: string;
}

/** `deb [options] uri suite component…` lines. */
export function parseOneLine(text: string): Source[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
    return match === null ? [] : [{ uri: match[1] as string, suite: match[2] as string }];
  });
}

/** deb822 paragraphs; disabled ones and sources of source code are left out. */
export function parseSources(text: string): Source[] {
  return parseParagraphs(text).flatMap((paragraph) => {
    if (/^(no|false|0|off|disable)$/i.test(paragraph.get("enabled") ?? "yes")) return [];
    if (!words(paragraph.get("types")).includes("deb")) return [];
    const suites = words(paragraph.get("suites"));
    return words(paragraph.get("uris")).flatMap((uri) => suites.map((suite) => ({ uri, suite })));
  });
}

/** The sources of the apt configuration in `directory`; unreadable or absent files count as empty. */
export async function readSources(directory = "/etc/apt"): Promise<Source[]> {
  const parts = join(directory, "sources.list.d");
  const names = (await readdir(parts).catch(() => [])).sort();
  const paths = [join(directory, "sources.list"), ...names.map((name) => join(parts, name))];
  const sources: Source[] = [];
  for (const path of paths) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (path.endsWith(".sources")) sources.push(...parseSources(text));
    else if (path.endsWith(".list")) sources.push(...parseOneLine(text));
  }
  return sources;
}
