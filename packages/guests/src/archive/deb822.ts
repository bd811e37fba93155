// Paragraphs of `Field: value` lines, the form of nearly all of Debian's control data.
// Specification: deb822(5). Read here: Release, Packages, control and .sources files.

/** Field names are lower-cased; continuation lines are joined by newlines without their first space. */
export type Paragraph = ReadonlyMap<string, string>;

/** One paragraph; lines that are neither a field, a continuation nor a comment are left out. */
export function parseParagraph(text: string): Paragraph {
  const fields = new Map<string, string>();
  let last: string | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) continue;
    if (/^[ \t]/.test(line)) {
      if (last !== undefined) fields.set(last, `${fields.get(last)}\n${line.slice(1).trimEnd()}`);
      continue;
    }
    const colon = line.indexOf(":");
    last = colon > 0 ? line.slice(0, colon).toLowerCase() : undefined;
    if (last !== undefined) fields.set(last, line.slice(colon + 1).trim());
  }
  return fields;
}

/** The paragraphs of a text, which empty lines separate. */
export function parseParagraphs(text: string): Paragraph[] {
  return text
    .replaceAll("\r\n", "\n")
    .split(/\n[ \t]*\n+/)
    .map((block) => parseParagraph(block))
    .filter((paragraph) => paragraph.size > 0);
}

/** The non-empty words of a field. */
export const words = (value: string | undefined): string[] => value?.split(/\s+/).filter(Boolean) ?? [];
