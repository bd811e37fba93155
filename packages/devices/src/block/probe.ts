/** Which format an image is in, by its first bytes. Who calls it: whoever opens a disk without being told its format. */

/** A format that can be used, or the words for one that cannot. */
export type FoundFormat = "raw" | { readonly supported?: "qcow2"; readonly name: string };

const formats: readonly { magic: readonly number[]; at?: number; found: Exclude<FoundFormat, "raw"> }[] = [
  { magic: [0x51, 0x46, 0x49, 0xfb], found: { supported: "qcow2", name: "a qcow2 image" } },
  { magic: [0x4b, 0x44, 0x4d, 0x56], found: { name: "a VMDK image" } },
  { magic: [0x63, 0x6f, 0x6e, 0x65, 0x63, 0x74, 0x69, 0x78], found: { name: "a VHD image" } },
  { magic: [0x76, 0x68, 0x64, 0x78, 0x66, 0x69, 0x6c, 0x65], found: { name: "a VHDX image" } },
  { magic: [0x51, 0x45, 0x44, 0x00], found: { name: "a QED image" } },
  { magic: [0x7f, 0x10, 0xda, 0xbe], at: 64, found: { name: "a VDI image" } },
  { magic: [0x1f, 0x8b], found: { name: "compressed with gzip" } },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], found: { name: "compressed with xz" } },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], found: { name: "compressed with zstd" } },
];

/** @param head the first bytes of the image, 512 at least where it has so many. */
export function formatOf(head: Uint8Array): FoundFormat {
  const found = formats.find(({ magic, at = 0 }) => magic.every((byte, i) => head[at + i] === byte));
  return found?.found ?? "raw";
}
