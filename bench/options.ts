/** The command line of `npm run bench`: parsed, checked, and its help. */
import { parseArgs } from "node:util";
import { suggest } from "../packages/guests/src/images/suggest.ts";
import { BenchError, benchErrorCodes } from "./error.ts";

export interface Options {
  readonly quick: boolean;
  /** Names of workloads and groups; without any, all take part. */
  readonly only: readonly string[];
  readonly repeat: number;
  readonly json: string | undefined;
  readonly chart: string | undefined;
  readonly against: string | undefined;
  readonly revision: string | undefined;
  readonly qemu: readonly string[];
  readonly v86: boolean;
  readonly cpuTime: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

const MOST_REPEATS = 100;
const REPEATS = 3;

const exitCodes = Object.values(benchErrorCodes)
  .map(({ exit, meaning }) => `  ${String(exit).padEnd(3)} ${meaning}`)
  .join("\n");

export const help = `usage: npm run bench -- [options]

Runs the same guests and programs on Bulkhead and on QEMU, interleaved, and tells how they compare: medians, their
spread, and how many times faster Bulkhead is than the best QEMU of each row.

  --quick            small amounts of work in the busybox guest only: less than 3 minutes
  --only NAME,...    only these workloads or groups; --list names them
  --repeat N         rounds; medians are over them (default ${REPEATS}, with --quick 1)
  --json FILE        writes the result with all samples
  --chart FILE       draws the ratios as an SVG picture
  --against REV      compares this checkout with another revision of itself instead of with QEMU
  --revision REV     measures this revision instead of the files as they are
  --qemu PROGRAM     a qemu-system-riscv64 to compare with; may be repeated. Otherwise the host's own, and Debian's
                     current one, which is fetched into the cache where the host has none as new
  --cpu-time         counts the processor time of each machine's process instead of the time that passed: what to
                     look at on a busy host. A machine that works on several threads at once gets no credit for it
  --v86              adds v86 (x86, from npm) to the boots and the idle guest
  --list             names the workloads and ends
  --help             this text

Peers, compiler and images are fetched on first use into the cache ($BULKHEAD_CACHE, else ~/.cache/bulkhead); nothing
needs root. The programs measure themselves by the guest's clock, which is held against the host's.

Exit codes: 0 when everything was measured, whatever the result, or
${exitCodes}
`;

/** Parses arguments. Errors: `usage`. */
export function parseOptions(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  let values: ReturnType<typeof parse>["values"];
  const parse = () =>
    parseArgs({
      args: [...args],
      options: {
        ...{
          quick: flag,
          v86: flag,
          "cpu-time": flag,
          list: flag,
          help: flag,
          json: text,
          chart: text,
          against: text,
          revision: text,
          repeat: text,
        },
        ...{ only: { type: "string", multiple: true }, qemu: { type: "string", multiple: true } },
      },
    });
  try {
    values = parse().values;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.split(/[.;] /)[0] : String(cause);
    throw new BenchError("usage", `${said}; see npm run bench -- --help`, { cause });
  }
  const { quick, v86, list, help: wantsHelp, json, chart, against, revision, qemu = [], only = [] } = values;
  if (against !== undefined && (qemu.length > 0 || v86)) {
    throw new BenchError("usage", "--against compares revisions of Bulkhead: it goes without --qemu and --v86");
  }
  const repeat = values.repeat === undefined ? (quick ? 1 : REPEATS) : wholeNumber("--repeat", values.repeat);
  const names = only.flatMap((each) => each.split(",")).map((each) => each.trim());
  return {
    quick,
    only: names.filter((each) => each !== ""),
    repeat,
    json,
    chart,
    against,
    revision,
    qemu,
    v86,
    cpuTime: values["cpu-time"],
    list,
    help: wantsHelp,
  };
}

function wholeNumber(option: string, value: string): number {
  const number = /^\d{1,4}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= 1 && number <= MOST_REPEATS) return number;
  throw new BenchError("usage", `${option}: expected a whole number from 1 to ${MOST_REPEATS}, found ${value}`);
}

/** Refuses names that mean no workload and no group. Errors: `usage`. */
export function checkOnly(only: readonly string[], known: readonly string[]): void {
  for (const name of only) {
    if (known.includes(name)) continue;
    const near = suggest(name, new Set(known));
    const hint = near === undefined ? "--list names them all" : `did you mean ${near}?`;
    throw new BenchError("usage", `--only: there is no workload or group ${name}: ${hint}`);
  }
}
