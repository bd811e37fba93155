/** What is typed after `--disk`: a file or a URL, and settings behind commas. A comma in a name is doubled. */
import type { DiskDescription } from "@bulkhead/hypervisor";
import { CliError } from "./failure.ts";

/** What `--help` says of it. */
export const DISK_HELP = `
A --disk is an image file, raw or qcow2, or nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH. Behind commas:
  format=raw|qcow2   instead of what its first bytes say; a guest may change those of a raw image only with this
  readonly           the guest cannot write to it
  overlay            what the guest writes is thrown away at the end
  iops=N, bps=N      at most so many requests, or bytes (K, M or G for 1024 times so many), per second
  thread             serve it in a thread of its own: for slow storage; a server's disk always is
A comma in a file's name is doubled. A raw file that grows while the guest runs is a disk that grows.
`;

const MULTIPLES: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** The disk that a text describes. Errors: `usage`. */
export function parseDisk(text: string): DiskDescription {
  const [path, ...settings] = splitAtCommas(text);
  const refuse = (why: string): never => {
    throw new CliError("usage", `--disk ${text}: ${why}; see bulkhead run --help`);
  };
  if (path === "") refuse("expected a file or a URL");
  const values = new Map<string, string | undefined>();
  for (const setting of settings) {
    const [name, value] = splitOnce(setting);
    if (values.has(name)) refuse(`${name} is given twice`);
    values.set(name, value);
  }
  const take = (name: string): string | undefined => {
    const value = values.get(name);
    if (values.has(name) && (value === undefined || value === "")) refuse(`${name} needs a value`);
    values.delete(name);
    return value;
  };
  const flag = (name: string): boolean => {
    const found = values.has(name);
    if (values.get(name) !== undefined) refuse(`${name} takes no value`);
    values.delete(name);
    return found;
  };
  const format = take("format");
  if (format !== undefined && format !== "raw" && format !== "qcow2") {
    return refuse(`expected raw or qcow2 for format, found ${format}`);
  }
  const number = (name: string, units: boolean): number | undefined => {
    const value = take(name);
    return value === undefined ? undefined : (parseNumber(value, units) ?? refuse(`${name}=${value} is no number`));
  };
  const iops = number("iops", false);
  const bytesPerSecond = number("bps", true);
  const readOnly = flag("readonly");
  const mode = flag("overlay") ? "overlay" : "direct";
  const thread = flag("thread");
  const [unknown] = values.keys();
  if (unknown !== undefined) refuse(`${unknown} is no setting of a disk`);
  const limited = iops !== undefined || bytesPerSecond !== undefined;
  return {
    path,
    readOnly,
    mode,
    ...(format === undefined ? {} : { format }),
    ...(thread ? { thread } : {}),
    ...(limited ? { limits: { iops, bytesPerSecond } } : {}),
  };
}

function parseNumber(text: string, units: boolean): number | undefined {
  const [, digits, unit] = /^(\d{1,12})([KMG]?)$/.exec(text) ?? [];
  if (digits === undefined || Number(digits) === 0 || (unit !== "" && !units)) return undefined;
  return Number(digits) * MULTIPLES[unit];
}

function splitAtCommas(text: string): [string, ...string[]] {
  const parts: [string, ...string[]] = [""];
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== ",") parts[parts.length - 1] += text[at];
    else if (text[at + 1] === ",") parts[parts.length - 1] += text[at++];
    else parts.push("");
  }
  return parts;
}

function splitOnce(setting: string): [string, string | undefined] {
  const at = setting.indexOf("=");
  return at < 0 ? [setting, undefined] : [setting.slice(0, at), setting.slice(at + 1)];
}
