/** Makes an empty qcow2 image. @spec qcow2 "Header". Who calls it: whoever needs a disk or an overlay that lasts; tests. */
import type { ImageFile } from "../image-file.ts";
import { high, low } from "./entry.ts";
import { QCOW2_MAGIC } from "./header.ts";
import { setRefcount } from "./refcount-bits.ts";
import { encodeOffsets, placeRefcounts } from "./refcounts.ts";

export interface CreateOptions {
  /** Bytes of the disk; a multiple of 512. */
  readonly size: number;
  /** Default: 16, clusters of 64 KiB. */
  readonly clusterBits?: number;
  readonly version?: 2 | 3;
  /** Refcounts have 2 to this power bits; version 2 knows only the default, 4. */
  readonly refcountOrder?: number;
  /** The file behind this one: its path as seen from the image's folder, and its format. */
  readonly backing?: { readonly path: string; readonly format: "raw" | "qcow2" };
}

const HEADER_BYTES = { 2: 72, 3: 104 } as const;
const BACKING_FORMAT = 0xe279_2aca;

/** Writes an image into an empty file, and makes it stable. */
export function createQcow2(file: ImageFile, options: CreateOptions): void {
  const { size, clusterBits = 16, version = 3, refcountOrder = 4 } = options;
  const clusterBytes = 2 ** clusterBits;
  const perBlock = (clusterBytes * 8) / 2 ** refcountOrder;
  const l1Size = Math.ceil(size / (clusterBytes * (clusterBytes / 8)));
  const l1Clusters = Math.ceil((l1Size * 8) / clusterBytes);
  // The header and the level 1 table come first, then the refcounts, which are to cover all of it.
  const first = 1 + l1Clusters;
  let { blocks, tableClusters } = placeRefcounts(first, perBlock, clusterBytes, 0);
  blocks = Math.max(blocks, Math.ceil((first + blocks + tableClusters) / perBlock));
  const used = first + blocks + tableClusters;
  for (let block = 0; block < blocks; block++) {
    const view = new DataView(new ArrayBuffer(clusterBytes));
    for (let i = 0; i < perBlock && block * perBlock + i < used; i++) setRefcount(view, i, refcountOrder, 1);
    file.write((first + block) * clusterBytes, new Uint8Array(view.buffer));
  }
  const table = new Float64Array((tableClusters * clusterBytes) / 8);
  for (let block = 0; block < blocks; block++) table[block] = (first + block) * clusterBytes;
  file.write((first + blocks) * clusterBytes, encodeOffsets(table));
  file.write(clusterBytes, new Uint8Array(l1Clusters * clusterBytes));
  const header = new DataView(new ArrayBuffer(clusterBytes));
  const put64 = (at: number, value: number): void => {
    header.setUint32(at, high(value));
    header.setUint32(at + 4, low(value));
  };
  header.setUint32(0, QCOW2_MAGIC);
  header.setUint32(4, version);
  header.setUint32(20, clusterBits);
  put64(24, size);
  header.setUint32(36, l1Size);
  put64(40, clusterBytes);
  put64(48, (first + blocks) * clusterBytes);
  header.setUint32(56, tableClusters);
  if (version === 3) header.setUint32(96, refcountOrder);
  if (version === 3) header.setUint32(100, HEADER_BYTES[3]);
  if (options.backing !== undefined) putBacking(header, HEADER_BYTES[version], options.backing);
  file.write(0, new Uint8Array(header.buffer));
  file.flush();
}

/** The extension with the backing file's format, the end of extensions, and the file's name. */
function putBacking(header: DataView, at: number, { path, format }: { path: string; format: string }): void {
  const bytes = new Uint8Array(header.buffer);
  const encoder = new TextEncoder();
  header.setUint32(at, BACKING_FORMAT);
  header.setUint32(at + 4, format.length);
  bytes.set(encoder.encode(format), at + 8);
  const nameAt = at + 8 + Math.ceil(format.length / 8) * 8 + 8;
  const name = encoder.encode(path);
  bytes.set(name, nameAt);
  header.setUint32(8, 0);
  header.setUint32(12, nameAt);
  header.setUint32(16, name.length);
}
