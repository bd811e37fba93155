/** A processor that says what its harts do. Who calls it: the machine, in place of the plain one, while a profile is taken. */
import type { ProcessorFactory } from "../processor.ts";
import { Activity, ActivityWord } from "./activity.ts";

/** Makes a processor's harts say when they run guest code, and when the machine deals with what took them out of it. */
export const profiled =
  (make: ProcessorFactory): ProcessorFactory =>
  (memory, harts) => {
    const words = harts.map((hart) => new ActivityWord(memory, hart.index));
    const inner = make(memory, harts);
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
