/** From an image and the options of `bulkhead run` to the description of a partition. */
import type { PartitionDescription } from "@bulkhead/hypervisor";
import { ports } from "./control.ts";
import { parseDisk } from "./disk-option.ts";
import type { RunOptions } from "./options.ts";
import { mountWord, shareTag } from "./share-option.ts";

/** How often a profiler looks at the guest. */
const PROFILE_INTERVAL_MS = 1;

/** An image that is ready to run: files on the host. */
export interface ReadyImage {
  readonly kernel: string;
  readonly initrd?: string;
  /** The kernel's command line. */
  readonly append: string;
  /** Its root disk. */
  readonly disk?: string;
  /** Directory for what a guest writes to a disk that is left as it is. */
  readonly scratch?: string;
}

/**
 * A kernel's command line from its parts. After a panic a guest is to restart, so that its end is seen, and a kernel
 * that is told nothing about a console is given the serial one.
 */
export function commandLine(...parts: readonly (string | undefined)[]): string {
  const words = parts.flatMap((part) => part?.split(/\s+/) ?? []).filter((word) => word !== "");
  const has = (name: string): boolean => words.some((word) => word.startsWith(`${name}=`));
  const console = has("console") ? [] : ["console=ttyS0"];
  const panic = has("panic") ? [] : ["panic=-1"];
  return [...words, ...console, ...panic].join(" ");
}

/** How a run is used: a console, on a terminal of some size or fed with text; or a command. */
export type Use =
  | { readonly kind: "console"; readonly terminal?: boolean; readonly rows?: number; readonly columns?: number }
  | { readonly kind: "command" };

/** What the images' own scripts want to know: no agent, and how large the terminal is. */
function useWords(use: Use): string {
  if (use.kind === "command") return "";
  const size = use.rows && use.columns ? ` bulkhead.size=${use.rows}x${use.columns}` : "";
  return `bulkhead.console${size}`;
}

/** Describes the partition for a run. Its disks: the image's own, then those of --disk, which are written to. */
export function describeRun(image: ReadyImage | undefined, options: RunOptions, use: Use): PartitionDescription {
  const kernel = options.kernel ?? (options.firmware === undefined ? image?.kernel : undefined);
  const initrd =
    options.initrd ?? (options.kernel === undefined && options.firmware === undefined ? image?.initrd : undefined);
  const { share = [] } = options;
  const append = commandLine(image?.append, image && useWords(use), ...share.map(mountWord), options.append);
  const own =
    image?.disk === undefined
      ? []
      : [{ path: image.disk, readOnly: false, mode: options.persist ? "direct" : "overlay" } as const];
  const given = options.disk.map(parseDisk);
  return {
    memoryMiB: options.memory,
    ...(options.balloon === undefined ? {} : { balloonMiB: options.balloon }),
    cpus: options.cpus,
    boot: bootOf(options.firmware, kernel, initrd, append),
    disks: [...own, ...given],
    ...(options.vsock === undefined ? {} : { vsock: { cid: options.vsock.cid } }),
    shares: share.map(({ path, readOnly, cache, thread }, i) => ({ path, tag: shareTag(i), readOnly, cache, thread })),
    ports: use.kind === "command" ? Object.values(ports) : [],
    onReboot: use.kind === "console" && use.terminal ? "restart" : "stop",
    scratch: image?.scratch,
    ...(options.profile === undefined ? {} : { profile: { intervalMs: PROFILE_INTERVAL_MS } }),
  };
}

function bootOf(
  firmware: string | undefined,
  kernel: string | undefined,
  initrd: string | undefined,
  append: string,
): PartitionDescription["boot"] {
  if (firmware !== undefined) return { firmware, kernel, initrd, append };
  if (kernel === undefined) throw new RangeError("a run without firmware needs a kernel");
  return { kernel, initrd, append };
}

/** Whether the guest writes to something that outlives it. */
export const writesToHost = ({ disks }: PartitionDescription): boolean =>
  disks.some(({ mode, readOnly }) => mode === "direct" && !readOnly);
