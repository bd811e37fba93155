/**
 * A profile as Trace Event Format, which the trace viewer of Chrome, Perfetto and speedscope open. Source: "Trace Event
 * Format", JSON Object Format, complete events. Each hart has two tracks: its functions, nested, and its tiers.
 */
import type { Frame, Profile } from "@bulkhead/hypervisor";
import { tiers } from "@bulkhead/hypervisor";
import { longestGapMs, summarize } from "./summary.ts";

interface Span {
  readonly name: string;
  readonly module: string;
  readonly start: number;
}

/** Process number of the guest in the file; harts are its threads. */
const GUEST = 1;
const MICROSECONDS = 1000;
const NANOSECONDS = 1000;

/** The file's text, in pieces. */
export function* traceEvents(profile: Profile): Generator<string> {
  const { totalSeconds, busySeconds, tiers: shares } = summarize(profile);
  const seconds = Object.fromEntries(shares.map(({ key, seconds }) => [key, seconds]));
  const about = { totalSeconds, busySeconds, tiers: seconds, remarks: profile.remarks };
  yield `{"displayTimeUnit":"ms","otherData":${JSON.stringify(about)},"traceEvents":[\n`;
  yield metadata("process_name", 0, "guest");
  for (let hart = 0; hart < profile.harts; hart++) {
    const [functions, activity] = [2 * hart + 1, 2 * hart + 2];
    yield `,\n${metadata("thread_name", functions, `hart ${hart}`)}`;
    yield* track(profile, hart, functions, (sample) => stackOf(profile, sample));
    yield `,\n${metadata("thread_name", activity, `hart ${hart}: tiers`)}`;
    yield* track(profile, hart, activity, (sample) => [{ name: tiers[profile.samples.tiers[sample]], module: "" }]);
  }
  yield "\n]}\n";
}

const stackOf = ({ samples, stacks, frames }: Profile, sample: number): Frame[] =>
  stacks[samples.stacks[sample]].map((frame) => frames[frame]);

const metadata = (name: string, thread: number, value: string): string =>
  JSON.stringify({ ph: "M", pid: GUEST, tid: thread, name, args: { name: value } });

/** Equal frames of consecutive samples are one span, from the first sample to the one that differs. */
function* track(
  profile: Profile,
  hart: number,
  thread: number,
  framesOf: (sample: number) => readonly Frame[],
): Generator<string> {
  const { samples, durationMs } = profile;
  const longestGap = longestGapMs(profile);
  let open: Span[] = [];
  let lastMs = 0;
  const close = (from: number, at: number): string[] =>
    open.splice(from).map((span, i) => `,\n${complete(span, at, from + i, thread)}`);
  for (let sample = 0; sample < samples.timesMs.length; sample++) {
    if (samples.harts[sample] !== hart) continue;
    const nowMs = samples.timesMs[sample];
    // What happened in between nobody knows, so nothing is shown.
    if (nowMs - lastMs > longestGap) yield* close(0, Math.round((lastMs + samples.intervalMs) * MICROSECONDS));
    lastMs = nowMs;
    const now = Math.round(nowMs * MICROSECONDS);
    const frames = framesOf(sample);
    const same = frames.findIndex(({ name, module }, i) => open[i]?.name !== name || open[i]?.module !== module);
    const kept = same < 0 ? frames.length : same;
    if (kept === open.length && kept === frames.length) continue;
    yield* close(kept, now);
    open = [...open, ...frames.slice(kept).map((frame) => ({ ...frame, start: now }))];
  }
  yield* close(0, Math.round((durationMs + samples.intervalMs) * MICROSECONDS));
}

/**
 * A span ends a few nanoseconds early, the deeper the earlier, so that no end coincides with another or with a beginning:
 * readers disagree about the order of such events. @param start and `end` in microseconds.
 */
const complete = ({ name, module, start }: Span, end: number, depth: number, thread: number): string => {
  const duration = ((end - start) * NANOSECONDS - depth - 1) / NANOSECONDS;
  const category = module === "" ? "" : `,"cat":${JSON.stringify(module)}`;
  return `{"ph":"X","pid":${GUEST},"tid":${thread},"ts":${start},"dur":${duration},"name":${JSON.stringify(name)}${category}}`;
};
