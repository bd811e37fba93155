// The names busybox answers to, read out of its program: it cannot be asked, being for another machine.
// The table is `applet_names`: sorted, NUL-terminated, ended by an empty name.
import { FormatError } from "../formats/format-error.ts";

const latin1 = new TextDecoder("latin1");
/** What any usable table has, and what the images' own scripts need. */
const NEEDED = [
  "base64",
  "cat",
  "cttyhack",
  "findfs",
  "insmod",
  "mkfifo",
  "modprobe",
  "mount",
  "setsid",
  "sh",
  "switch_root",
  "tar",
  "udhcpc",
];

/** The applet names of a busybox program. Throws FormatError where it has no usable table. */
export function readApplets(program: Uint8Array): string[] {
  const start = Buffer.from(program.buffer, program.byteOffset, program.byteLength).indexOf("[\0[[\0", 0, "latin1");
  if (start < 0) throw new FormatError("busybox holds no table of applets");
  const names: string[] = [];
  for (let at = start; ; ) {
    const end = program.indexOf(0, at);
    if (end <= at) break;
    const name = latin1.decode(program.subarray(at, end));
    if (!/^[A-Za-z0-9_.+[-]+$/.test(name)) break;
    names.push(name);
    at = end + 1;
  }
  const missing = NEEDED.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new FormatError(`busybox has no applet ${missing.join(", ")}`);
  return names;
}
