/** Constants of a flattened device tree, version 17. @spec devicetree "Flattened Devicetree (DTB) Format" */

export const MAGIC = 0xd00d_feed;
export const VERSION = 17;
/** Oldest version that readers of this one understand. */
export const LAST_COMPATIBLE_VERSION = 16;

/** Offsets of the header's big-endian 32-bit fields. */
export const Header = {
  magic: 0,
  totalSize: 4,
  structureOffset: 8,
  stringsOffset: 12,
  reservationsOffset: 16,
  version: 20,
  lastCompatibleVersion: 24,
  bootHart: 28,
  stringsSize: 32,
  structureSize: 36,
  bytes: 40,
} as const;

export const Token = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const;
