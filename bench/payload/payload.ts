/** What the Debian guest is given: programs, scripts and inputs, as a tar archive on a raw disk of its own. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeTar } from "../../packages/guests/src/formats/tar.ts";
import type { GuestFiles } from "../build/initrd.ts";
import { generateC, generateText } from "./generate.ts";

const GUEST = join(import.meta.dirname, "..", "guest");
const SCRIPTS = ["pystone.py", "words.pl", "queries.sql"];
const C_FUNCTIONS = 24;
const TEXT_BYTES = 3 << 20;
/** Disks have whole sectors, and some emulators want whole pages of them. */
const ALIGNMENT = 4096;

/** Writes the disk. The guest unpacks it with `tar`. */
export async function writePayloadDisk(path: string, programs: GuestFiles): Promise<void> {
  const encoder = new TextEncoder();
  const entries = [...programs].map(([name, content]) => ({ name, content, mode: 0o755 }));
  for (const name of SCRIPTS) {
    entries.push({ name, content: await readFile(join(import.meta.dirname, name)), mode: 0o644 });
  }
  entries.push({ name: "agent.sh", content: await readFile(join(GUEST, "agent.sh")), mode: 0o644 });
  entries.push({ name: "large.c", content: encoder.encode(generateC(C_FUNCTIONS)), mode: 0o644 });
  entries.push({ name: "text", content: encoder.encode(generateText(TEXT_BYTES)), mode: 0o644 });
  const archive = writeTar(entries);
  const disk = new Uint8Array(Math.ceil(archive.length / ALIGNMENT) * ALIGNMENT);
  disk.set(archive);
  await writeFile(path, disk);
}
