/** The file that `--profile` names: claimed before the guest starts, written at the end. */
import { open } from "node:fs/promises";
import type { Profile } from "@bulkhead/hypervisor";
import { CliError } from "../failure.ts";
import { foldedStacks } from "./folded.ts";
import { traceEvents } from "./trace-events.ts";

/** What a file's ending asks for. */
const formats: Readonly<Record<string, (profile: Profile) => Iterable<string>>> = {
  ".json": traceEvents,
  ".folded": foldedStacks,
};

const formatOf = (path: string) => Object.entries(formats).find(([ending]) => path.endsWith(ending))?.[1];

/** Errors: `usage` for a name that ends in nothing known. */
export function checkProfileName(path: string): void {
  if (formatOf(path) !== undefined) return;
  const endings = Object.keys(formats).join(" or ");
  throw new CliError("usage", `--profile ${path}: expected a name that ends in ${endings}`);
}

/** Makes sure that the file can be written, and empties it. Errors: `file-unwritable`. */
export async function claimProfileFile(path: string): Promise<void> {
  await write(path, []);
}

/** Errors: `file-unwritable`. */
export async function writeProfileFile(path: string, profile: Profile): Promise<void> {
  await write(path, formatOf(path)!(profile));
}

const PIECE = 1 << 20;

async function write(path: string, pieces: Iterable<string>): Promise<void> {
  try {
    const file = await open(path, "w");
    try {
      let text = "";
      for (const piece of pieces) {
        text += piece;
        if (text.length < PIECE) continue;
        await file.writeFile(text);
        text = "";
      }
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOSPC" || code === "EDQUOT") throw cause;
    const why = code === "ENOENT" ? "its directory does not exist" : `cannot be written (${code ?? String(cause)})`;
    throw new CliError("file-unwritable", `profile ${path}: ${why}`, { cause });
  }
}
