/**
 * Reads a descriptor chain out of guest memory, once, and checks everything in it before a device sees any of it.
 * Who calls it: `Virtqueue`. @spec virtio "The Virtqueue Descriptor Table", "Indirect Descriptors"
 */
import type { GuestMemory } from "@bulkhead/machine";
import { DESCRIPTOR_BYTES, DescriptorFlag } from "./virtio.ts";

/** A piece of guest RAM that a driver lent: physical address and length in bytes. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

export interface Segments {
  readonly readable: readonly Segment[];
  readonly writable: readonly Segment[];
}

/** Bounds of a walk. Each stops an attack: endless loops, tables without end, and buffers that overlap to no end. */
export interface WalkLimits {
  readonly indirect: boolean;
  /** Most descriptors in a chain; the queue's largest size. */
  readonly maxDescriptors: number;
  /** Most bytes in a chain. */
  readonly maxBytes: number;
}

interface Descriptor extends Segment {
  readonly flags: number;
  readonly next: number;
}

/** Where descriptors are: byte offset in the wasm memory, and how many there are. */
interface Table {
  readonly offset: number;
  readonly size: number;
}

/** The segments of the chain that starts at descriptor `head`, or a sentence that says what is wrong with it. */
export function walkDescriptors(
  memory: GuestMemory,
  table: Table,
  head: number,
  limits: WalkLimits,
): Segments | string {
  const readable: Segment[] = [];
  const writable: Segment[] = [];
  let current = table;
  let nested = false;
  let index = head;
  let bytes = 0;
  for (let count = 0; ; count++) {
    if (count >= limits.maxDescriptors) return "a descriptor chain loops or is too long";
    if (index >= current.size) return `descriptor index ${index} is not below ${current.size}`;
    const descriptor = readDescriptor(memory, current, index);
    if ((descriptor.flags & DescriptorFlag.indirect) !== 0) {
      const inner = enterIndirect(memory, descriptor, nested, limits);
      if (typeof inner === "string") return inner;
      current = inner;
      nested = true;
      index = 0;
      count--;
      continue;
    }
    bytes += descriptor.length;
    const wrong = checkBuffer(memory, descriptor, bytes, writable.length > 0, limits);
    if (wrong !== undefined) return wrong;
    const isWritable = (descriptor.flags & DescriptorFlag.write) !== 0;
    if (descriptor.length > 0) (isWritable ? writable : readable).push(descriptor);
    if ((descriptor.flags & DescriptorFlag.next) === 0) return { readable, writable };
    index = descriptor.next;
  }
}

function readDescriptor(memory: GuestMemory, table: Table, index: number): Descriptor {
  const at = table.offset + index * DESCRIPTOR_BYTES;
  const { view } = memory;
  return {
    // An address from 2^53 on loses low bits here; RAM ends far below, so it is refused all the same.
    address: view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true),
    length: view.getUint32(at + 8, true),
    flags: view.getUint16(at + 12, true),
    next: view.getUint16(at + 14, true),
  };
}

/** The table that an indirect descriptor names. A table may not name another one, nor be followed by anything. */
function enterIndirect(memory: GuestMemory, found: Descriptor, nested: boolean, limits: WalkLimits): Table | string {
  if (!limits.indirect) return "an indirect descriptor was not negotiated";
  if (nested) return "an indirect table holds an indirect descriptor";
  if ((found.flags & DescriptorFlag.next) !== 0) return "an indirect descriptor has a successor";
  if (found.length === 0 || found.length % DESCRIPTOR_BYTES !== 0) {
    return `an indirect table of ${found.length} bytes does not hold whole descriptors`;
  }
  const size = found.length / DESCRIPTOR_BYTES;
  if (size > limits.maxDescriptors) return `an indirect table of ${size} descriptors exceeds ${limits.maxDescriptors}`;
  const offset = memory.offsetOf(found.address, found.length);
  return offset < 0 ? "an indirect table is not in RAM" : { offset, size };
}

function checkBuffer(
  memory: GuestMemory,
  { address, length, flags }: Descriptor,
  bytes: number,
  afterWritable: boolean,
  limits: WalkLimits,
): string | undefined {
  if ((flags & DescriptorFlag.write) === 0 && afterWritable) return "a readable descriptor follows a writable one";
  if (bytes > limits.maxBytes) return `a descriptor chain of ${bytes} bytes exceeds ${limits.maxBytes}`;
  if (memory.placeOf(address, length) < 0) return `a buffer at 0x${address.toString(16)} is not in RAM`;
  return undefined;
}
