/** The real programs of the Debian guest: how each is run there, and how its time is found in what it prints. */
import { readRow } from "../guest/read-rows.ts";
import type { Measured, Workload } from "./workload.ts";

/** Packages of the image beside Debian's base. */
export const imagePackages: readonly string[] = ["gcc", "python3", "sqlite3", "7zip", "openssl", "perl", "xz-utils"];

export interface RealProgram extends Workload {
  /** A line of shell in the directory of the payload. */
  readonly command: string;
  readonly expectedSeconds: number;
  /** The result in what the command printed; undefined where it holds none. */
  read(output: string): Measured | undefined;
}

/** A program that does a fixed piece of work; `timed` measures it and digests its output. */
const fixed = (name: string, title: string, expectedSeconds: number, command: string): RealProgram => ({
  name,
  title,
  group: "real",
  unit: "s",
  expectedSeconds,
  command: `./timed ${name} sh -c '${command}'`,
  read: (output) => readRow(output, name),
});

/** Millions of instructions by 7-Zip's own count that its benchmark is taken to consist of. */
const SEVEN_ZIP_MILLIONS = 10_000;

/** 7-Zip's own benchmark: it reports a rate, in millions of its instructions per second. */
export function readSevenZip(output: string): Measured | undefined {
  const rating = /^Tot:\s+\d+\s+\d+\s+(\d+)/m.exec(output)?.[1];
  return rating === undefined ? undefined : { seconds: SEVEN_ZIP_MILLIONS / Number(rating) };
}

const OPENSSL_BYTES = 100 * (1 << 20);

/** `openssl speed`: it reports thousands of bytes per second, here turned into seconds for 100 MiB. */
export function readOpenssl(output: string): Measured | undefined {
  const rate = /^(?:sha256|AES-128-GCM)\s+([\d.]+)k\s*$/im.exec(output)?.[1];
  return rate === undefined ? undefined : { seconds: OPENSSL_BYTES / (Number(rate) * 1000) };
}

const openssl = (name: string, title: string, algorithm: string): RealProgram => ({
  name,
  title,
  group: "real",
  unit: "s",
  expectedSeconds: 3,
  command: `openssl speed -elapsed -seconds 2 -bytes 16384 -evp ${algorithm} 2>/dev/null`,
  read: readOpenssl,
});

export const realPrograms: readonly RealProgram[] = [
  fixed("python3", "python3, records and strings", 6, "python3 pystone.py 120000"),
  fixed("gcc", "gcc -O2 of a large file", 20, "gcc -O2 -w -c large.c -o /tmp/large.o && cat /tmp/large.o"),
  fixed("sqlite", "SQLite in memory", 8, "sqlite3 :memory: <queries.sql"),
  {
    name: "7z",
    title: "7z b -mmt1, 10 G of its steps",
    group: "real",
    unit: "s",
    expectedSeconds: 12,
    command: "7z b 1 -mmt1 -md18",
    read: readSevenZip,
  },
  openssl("openssl-sha256", "openssl SHA-256 of 100 MiB", "sha256"),
  openssl("openssl-aes", "openssl AES-128-GCM of 100 MiB", "aes-128-gcm"),
  fixed("perl", "perl, words and hashes", 5, "perl words.pl text 1"),
  fixed("xz", "xz -6 of 3 MiB of text", 7, "xz -6 -T1 -c text"),
];
