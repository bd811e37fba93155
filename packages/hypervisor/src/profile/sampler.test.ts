import assert from "node:assert/strict";
import { test } from "node:test";
import { Activity, ActivityWord } from "@bulkhead/machine";
import { tiers } from "./profile.ts";
import { Sampler } from "./sampler.ts";
import { BareGuest } from "./testing/guest.ts";

const namesOf = (profile: ReturnType<Sampler["finish"]>): string[] =>
  [...profile.samples.stacks].map((stack) =>
    profile.stacks[stack].map((frame) => profile.frames[frame].name).join(">"),
  );

test("Sampler: tells what each hart does", () => {
  const { memory, view } = new BareGuest(0x10_0000, 2);
  const words = [0, 1].map((hart) => new ActivityWord(memory, hart));
  const sampler = new Sampler(view, 1);
  const activities = [Activity.off, Activity.interpreter, Activity.translated, Activity.device] as const;
  for (const [moment, activity] of activities.entries()) {
    words[0].set(activity);
    sampler.sample(moment);
  }
  const profile = sampler.finish();
  const seen = [...profile.samples.tiers].map((tier) => tiers[tier]);
  assert.deepEqual(seen, ["idle", "idle", "interpreter", "turn", "translated", "turn", "device", "turn"]);
  assert.equal(profile.durationMs, 3);
  assert.equal(profile.remarks.length, 1);
});

test("Sampler: shows places without a name by their page, and gives waiting and compiling none", () => {
  const { memory, view } = new BareGuest();
  const word = new ActivityWord(memory, 0);
  const sampler = new Sampler(view, 1);
  for (const [moment, activity] of [Activity.off, Activity.translated, Activity.compile].entries()) {
    word.set(activity);
    sampler.sample(moment);
  }
  assert.deepEqual(namesOf(sampler.finish()), ["(idle)", "space 0x0>[unknown+0x0]", "space 0x0>(compile)"]);
});
