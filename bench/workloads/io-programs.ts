/** What is measured of disks and network: the commands in the guest, and how their results are found in the output. */
import { median } from "../results/statistics.ts";
import type { Target, Workload } from "./workload.ts";

export interface IoProgram extends Workload {
  readonly expectedSeconds: number;
  /** The result in what the command printed, in the workload's unit; undefined where it holds none. */
  read(output: string): number | undefined;
}

/** Seconds that count, and those before them in which code gets warm. */
const RUN_SECONDS = 3;
const RAMP_SECONDS = 1;
/** Programs take this long to start in a guest. */
const START_SECONDS = 2;

export interface DiskProgram extends IoProgram {
  readonly disk: "raw" | "qcow2";
  /** A line of shell; `device` is the disk's. */
  command(device: string): string;
}

type Access = "randread" | "randwrite" | "read" | "write";

/** Places of bandwidth (KiB/s) and IOPS in fio's terse output, version 3. */
const places = { read: { bandwidth: 6, iops: 7 }, write: { bandwidth: 47, iops: 48 } } as const;

/** What fio measured, from its terse line. */
export function readFio(output: string, direction: "read" | "write"): { iops: number; megabytes: number } | undefined {
  const fields = /^3;fio-.*$/m.exec(output)?.[0].split(";");
  if (fields === undefined) return undefined;
  const { bandwidth, iops } = places[direction];
  const found = { iops: Number(fields[iops]), megabytes: (Number(fields[bandwidth]) * 1024) / 1e6 };
  return found.iops > 0 && found.megabytes > 0 ? found : undefined;
}

function disk(disk: "raw" | "qcow2", access: Access, depth: number, title: string, target?: Target): DiskProgram {
  const random = access.startsWith("rand");
  const direction = access.endsWith("read") ? "read" : "write";
  return {
    name: `${disk}-${access}${depth === 1 ? "-1" : ""}`,
    title: `${disk}, ${title}`,
    group: "disk",
    unit: random ? "IOPS" : "MB/s",
    ...(target === undefined ? { informative: true } : { target }),
    expectedSeconds: START_SECONDS + RAMP_SECONDS + RUN_SECONDS,
    disk,
    command: (device) =>
      [
        "/tmp/io/fio --name=job --ioengine=libaio --direct=1 --output-format=terse --terse-version=3",
        `--filename=${device} --rw=${access} --bs=${random ? "4k" : "1m"} --iodepth=${depth}`,
        `--time_based --runtime=${RUN_SECONDS} --ramp_time=${RAMP_SECONDS} --randrepeat=1 --thread`,
      ].join(" "),
    read: (output) => readFio(output, direction)?.[random ? "iops" : "megabytes"],
  };
}

const target: Target = { must: 1, aim: 1.5 };

export const diskPrograms: readonly DiskProgram[] = (["raw", "qcow2"] as const).flatMap((format) => [
  disk(format, "randread", 32, "4 KiB random reads", target),
  disk(format, "randwrite", 32, "4 KiB random writes", target),
  disk(format, "randread", 1, "the same reads, one at a time"),
  disk(format, "read", 8, "sequential reads", target),
  disk(format, "write", 8, "sequential writes", target),
]);

export interface NetProgram extends IoProgram {
  /** A line of shell. @param port of the iperf3 server. */
  command(port: number): string;
}

/** iperf3's rate at the receiver, in MB/s. */
export function readIperf(output: string): number | undefined {
  const megabits = /([\d.]+) Mbits\/sec\s+receiver/.exec(output)?.[1];
  return megabits === undefined ? undefined : Number(megabits) / 8;
}

/** The median of ping's round trips, in µs. */
export function readPing(output: string): number | undefined {
  const times = [...output.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms) * 1000);
  return times.length < PINGS * 0.9 ? undefined : median(times);
}

const PINGS = 200;
/** Before those that count. */
const WARM_PINGS = 1500;
const PING_SECONDS = 0.02;

const iperf = (name: string, title: string, option: string): NetProgram => ({
  name,
  title,
  group: "net",
  unit: "MB/s",
  target: { must: 1, aim: 2 },
  expectedSeconds: START_SECONDS + RAMP_SECONDS + RUN_SECONDS,
  command: (port) => `/tmp/io/iperf3 -c 10.0.2.2 -p ${port} -f m -i 0 -O ${RAMP_SECONDS} -t ${RUN_SECONDS} ${option}`,
  read: readIperf,
});

export const netPrograms: readonly NetProgram[] = [
  iperf("tcp-out", "TCP, guest to host (iperf3)", ""),
  iperf("tcp-in", "TCP, host to guest (iperf3)", "-R"),
  {
    name: "ping",
    title: `ping to the gateway, median of ${PINGS}`,
    group: "net",
    unit: "µs",
    target: { must: 1, aim: 2 },
    expectedSeconds: START_SECONDS + PINGS * PING_SECONDS,
    // Lines on the console between two round trips would disturb them.
    command: () =>
      `sh -c '/tmp/io/ping -q -n -c ${WARM_PINGS} -i 0.002 10.0.2.2 >/dev/null; /tmp/io/ping -n -c ${PINGS} -i ${PING_SECONDS} 10.0.2.2 >/tmp/ping; cat /tmp/ping'`,
    read: readPing,
  },
];
