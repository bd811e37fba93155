/** The list of images as people read it. */
import type { ListedImage } from "./images.ts";

const MIB = 1024 * 1024;

/** A table with a line per image; columns are as wide as they need to be. */
export function imageTable(images: readonly ListedImage[]): string {
  const rows = [
    ["NAME", "STATE", "SIZE", "DESCRIPTION"],
    ...images.map(({ name, built, outdated, bytes, description }) => [
      name,
      outdated ? "outdated" : built ? "built" : "not built",
      built ? size(bytes) : "-",
      description,
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}

/** `12 MiB`, `1.4 GiB`. */
const size = (bytes: number): string =>
  bytes < 1000 * MIB ? `${Math.ceil(bytes / MIB)} MiB` : `${(bytes / MIB / 1024).toFixed(1)} GiB`;
