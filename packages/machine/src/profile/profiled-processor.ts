/** A processor that says what its harts do. Who calls it: the machine, in place of the plain one, while a profile is taken. */
import type { GuestMemory } from "../memory.ts";
import type { Processor, ProcessorFactory } from "../processor.ts";
import type { ProcessorHart } from "../translating-processor.ts";
import { Activity, ActivityWord } from "./activity.ts";
import { profiledHart } from "./profiled-hart.ts";

/** Wraps what makes a processor so that every hart keeps its activity. */
export const profiled =
  (make: (memory: GuestMemory, harts: readonly ProcessorHart[]) => Processor): ProcessorFactory =>
  (memory, harts) => {
    const words = harts.map((hart) => new ActivityWord(memory, hart.index));
    const inner = make(
      memory,
      harts.map((hart, index) => profiledHart(hart, words[index])),
    );
    let last = 0;
    return {
      run(hart) {
        if (last !== hart) words[last].set(Activity.off);
        last = hart;
        words[hart].set(Activity.interpreter);
        inner.run(hart);
        words[hart].set(Activity.exit);
      },
      codeChanged: () => inner.codeChanged(),
      written: (address, length) => inner.written(address, length),
      isCodePage: (page) => inner.isCodePage(page),
    };
  };
