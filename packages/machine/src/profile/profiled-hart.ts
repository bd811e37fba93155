/** Call-outs of a hart that say what they do while they run. Who calls it: generated code, while a profile is taken. */
import type { ProcessorHart } from "../translating-processor.ts";
import { Activity, type ActivityWord } from "./activity.ts";

/** A hart whose call-outs keep its activity: address translation or exit, until a device says otherwise. */
export const profiledHart = (hart: ProcessorHart, word: ActivityWord): ProcessorHart => ({
  load(address, logBytes) {
    const before = word.current;
    word.set(Activity.refill);
    const value = hart.load(address, logBytes);
    word.set(before);
    return value;
  },
  store(address, logBytes, value) {
    const before = word.current;
    word.set(Activity.refill);
    hart.store(address, logBytes, value);
    word.set(before);
  },
  atomicAddress(address, logBytes, write) {
    const before = word.current;
    word.set(Activity.refill);
    const at = hart.atomicAddress(address, logBytes, write);
    word.set(before);
    return at;
  },
  fetch(address) {
    const before = word.current;
    word.set(Activity.refill);
    const at = hart.fetch(address);
    word.set(before);
    return at;
  },
  csr(number, operation, suppress, value) {
    const before = word.current;
    word.set(Activity.exit);
    const old = hart.csr(number, operation, suppress, value);
    word.set(before);
    return old;
  },
  system(operation, a, b) {
    const before = word.current;
    word.set(Activity.exit);
    hart.system(operation, a, b);
    word.set(before);
  },
  dropWriteTags: (page) => hart.dropWriteTags(page),
});
