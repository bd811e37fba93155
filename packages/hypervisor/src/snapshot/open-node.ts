/**
 * Opens a snapshot for a machine: whole, undamaged and of this very configuration, or else nothing is touched. That a file has
 * been checked is noted beside it, with what the file was like then. Who calls it: a partition's owner.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { PartitionDescription } from "../partition/description.ts";
import { checkConfiguration, configurationOf } from "./configuration-node.ts";
import { closeSnapshot, openSnapshot } from "./reader-node.ts";
import type { Snapshot } from "./snapshot.ts";

/** Name of the note beside a snapshot. */
export const CHECKED = ".checked";

/** Errors: `file-missing`, `file-unreadable`, `snapshot-foreign`, `-corrupt`, `-mismatch`. */
export function openChecked(path: string, description: PartitionDescription): Snapshot {
  const identities: string[] = [];
  const known = note(path);
  const snapshot = openSnapshot(path, undefined, (identity) => {
    identities.push(identity);
    return known.includes(identity);
  });
  try {
    checkConfiguration(path, configurationOf(description), snapshot.meta.configuration);
  } catch (error) {
    closeSnapshot(snapshot);
    throw error;
  }
  if (identities.some((identity) => !known.includes(identity))) leaveNote(path, identities);
  return snapshot;
}

function note(path: string): readonly string[] {
  try {
    return readFileSync(path + CHECKED, "utf8").split("\n");
  } catch {
    return [];
  }
}

function leaveNote(path: string, identities: readonly string[]): void {
  try {
    writeFileSync(path + CHECKED, identities.join("\n"));
  } catch {
    // A directory that cannot be written: the file is checked again the next time.
  }
}
