/** A profile's sums as a table for people: tiers, then the functions and processes that took most. */
import type { Profile, Tier } from "@bulkhead/hypervisor";
import { type Share, summarize } from "./summary.ts";

const SHOWN_FUNCTIONS = 20;
const SHOWN_PROCESSES = 8;
const NAME_WIDTH = 44;
/** Share of the time that may go unseen without a remark. */
const UNSEEN_SHARE = 0.02;

const tierNames: Readonly<Record<Tier, string>> = {
  idle: "idle",
  interpreter: "interpreter",
  translated: "translated code",
  compile: "compile",
  refill: "TLB refill",
  exit: "exits: traps, CSRs, SBI",
  device: "devices",
  turn: "waiting for another hart's turn",
};

/** The table, with a newline at its end. @param path where the profile is. */
export function profileTable(profile: Profile, path: string): string {
  const { totalSeconds, busySeconds, unseenSeconds, tiers, functions, processes } = summarize(profile);
  const harts = profile.harts === 1 ? "" : ` on each of ${profile.harts} harts`;
  const seconds = (profile.durationMs / 1000).toFixed(2);
  const lines = [
    `profile: ${seconds} s${harts}, ${profile.samples.timesMs.length} samples, in ${path}`,
    ...profile.remarks.map((remark) => `profile: ${remark}`),
    ...unseen(unseenSeconds, profile),
    "",
    heading("tier", totalSeconds, "of the time"),
    ...tiers.map((share) => row(share, tierNames[share.key])),
    "",
    heading("function", busySeconds, "of the time that was not idle"),
    ...functions.slice(0, SHOWN_FUNCTIONS).map((share) => row(share, share.key.name, share.key.module)),
    "",
    heading("process", busySeconds, "of the time that was not idle"),
    ...processes.slice(0, SHOWN_PROCESSES).map((share) => row(share, share.key.name)),
  ];
  return `${lines.join("\n")}\n`;
}

/** A remark where so much was not seen that it matters. */
function unseen(seconds: number, { durationMs }: Profile): string[] {
  if (seconds < (UNSEEN_SHARE * durationMs) / 1000) return [];
  return [
    `profile: ${seconds.toFixed(2)} s of it could not be sampled, the host was busy; they count as the rest does`,
  ];
}

const heading = (what: string, seconds: number, of: string): string =>
  `  seconds       %  ${what} (% ${of}: ${seconds.toFixed(2)} s)`;

function row<Key>({ seconds, percent }: Share<Key>, name: string, module = ""): string {
  const numbers = `${seconds.toFixed(3).padStart(9)}  ${percent.toFixed(1).padStart(6)}`;
  const shown = printable(name);
  const aligned = module === "" ? shown : `${shown.padEnd(NAME_WIDTH)} ${printable(module)}`;
  return `${numbers}  ${aligned}`;
}

/** Names come from the guest: nothing in them may steer a terminal. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");
