/** The processor of a guest's harts, on whatever thread they are. Who calls it: the threads of a partition. */
import { type ProcessorFactory, profiled, TranslatingProcessor } from "@bulkhead/machine";

/** @param profile whether harts say what they do, for a profiler. */
export function processorFactory(profile: boolean): ProcessorFactory {
  const plain: ProcessorFactory = (memory, harts) =>
    new TranslatingProcessor(memory, harts, undefined, profile, harts[0].index);
  return profile ? profiled(plain) : plain;
}
