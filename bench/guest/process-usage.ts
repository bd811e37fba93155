/** What a host process and its children have used, from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Processor time in seconds and resident memory in MiB of a process with all below it. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly residentMiB: number;
  /** The most that the process itself has had resident. */
  readonly peakMiB: number;
}

/** Clock ticks per second in /proc/PID/stat: a constant of Linux's user-space interface. */
const TICKS_PER_SECOND = 100;

/** Fields 14 and 15 of /proc/PID/stat, behind the command name, which may itself contain spaces. */
export function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** A field of /proc/PID/status given in kB, in MiB; 0 where it is absent. */
export function statusMiB(status: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status);
  return match === null ? 0 : Number(match[1]) / 1024;
}

function descendants(pid: number): number[] {
  const all = [pid];
  for (const parent of all) {
    try {
      for (const task of readdirSync(`/proc/${parent}/task`)) {
        const children = readFileSync(`/proc/${parent}/task/${task}/children`, "utf8").trim();
        if (children !== "") all.push(...children.split(" ").map(Number));
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  return all;
}

/** What a process tree has used so far; zeros where it has ended. */
export function usageOf(pid: number): Usage {
  let [ticks, residentMiB, peakMiB] = [0, 0, 0];
  for (const each of descendants(pid)) {
    try {
      const status = readFileSync(`/proc/${each}/status`, "utf8");
      ticks += cpuTicks(readFileSync(`/proc/${each}/stat`, "utf8"));
      residentMiB += statusMiB(status, "VmRSS");
      peakMiB += statusMiB(status, "VmHWM");
    } catch {
      // It has ended meanwhile.
    }
  }
  return { cpuSeconds: ticks / TICKS_PER_SECOND, residentMiB, peakMiB };
}
