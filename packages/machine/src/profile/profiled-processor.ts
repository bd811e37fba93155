/** A processor that says what its harts do. Who calls it: the machine, in place of the plain one, while a profile is taken. */
import type { ProcessorFactory } from "../processor.ts";
import { Activity, ActivityWord } from "./activity.ts";

/** Makes a processor's harts say when they run guest code, and when the machine deals with what took them out of it. */
export const profiled =
  (make: ProcessorFactory): ProcessorFactory =>
  (memory, harts) => {
    const words = new Map(harts.map(({ index }) => [index, new ActivityWord(memory, index)]));
    const inner = make(memory, harts);
    let last: ActivityWord | undefined;
    return {
      run(hart) {
        const word = words.get(hart)!;
        if (last !== word) last?.set(Activity.off);
        last = word;
        word.set(Activity.interpreter);
        inner.run(hart);
        word.set(Activity.exit);
      },
      codeChanged: () => inner.codeChanged(),
      written: (address, length) => inner.written(address, length),
      isCodePage: (page) => inner.isCodePage(page),
      trim: () => inner.trim(),
    };
  };
