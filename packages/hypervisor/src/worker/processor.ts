/** The processor of a guest's harts, on whatever thread they are. Who calls it: the threads of a partition. */
import {
  type GuestMemory,
  type ProcessorFactory,
  profiled,
  type RegionService,
  TranslatingProcessor,
} from "@bulkhead/machine";

/**
 * @param profile whether harts say what they do, for a profiler. @param service makes what compiles regions for a
 * processor of this memory.
 */
export function processorFactory(profile: boolean, service: (memory: GuestMemory) => RegionService): ProcessorFactory {
  const plain: ProcessorFactory = (memory, harts) =>
    new TranslatingProcessor(memory, harts, { profile, first: harts[0].index, service: service(memory) });
  return profile ? profiled(plain) : plain;
}
