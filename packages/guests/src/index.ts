// What kernels, initramfs archives and root file systems are, and where they come from.
export { MIRROR_VARIABLE } from "./archive/mirror.ts";
export { CACHE_VARIABLE, cacheDirectory } from "./cache/directory.ts";
export { ImageError, type ImageErrorCode, imageErrorCodes } from "./error.ts";
export { type CatalogueEntry, catalogue, suggestName } from "./images/catalogue.ts";
export { DEFAULT_DISK_MIB, type EnsureOptions, ensureImage, hasImage, type Image } from "./images/ensure.ts";
export { type ImageEntry, listImages, removeDownloads, removeImage } from "./images/list.ts";
export type { ImageKind, Manifest } from "./images/manifest.ts";
export { suggest } from "./images/suggest.ts";
export type { MachineRun, MachineStop, RunMachine } from "./machine.ts";
export type { OnProgress, Progress } from "./progress.ts";
