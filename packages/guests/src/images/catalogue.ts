// The images that everyone can have, and the question which image a name means.
// Called by images/ensure.ts and by command lines.
import { ImageError } from "../error.ts";
import { type ImageKind, imageNames } from "./manifest.ts";
import { suggest } from "./suggest.ts";

/** An image by name, before it is built. */
export interface CatalogueEntry {
  kind: ImageKind;
  description: string;
}

/** Every image that is built on first use. */
export const catalogue: Readonly<Record<string, CatalogueEntry>> = {
  busybox: { kind: "busybox", description: "Debian's kernel with busybox in memory; ready in seconds" },
  debian: { kind: "debian", description: "Debian 13 (trixie) with systemd and apt on a disk" },
};

/** The known image nearest to a mistyped name. */
export async function suggestName(name: string, cache: string): Promise<string | undefined> {
  return suggest(name, new Set([...Object.keys(catalogue), ...(await imageNames(cache))]));
}

/** The error for a name that means no image, with a suggestion where one is near. */
export async function unknownImage(name: string, cache: string): Promise<ImageError> {
  const near = await suggestName(name, cache);
  const hint = near === undefined ? `known are ${Object.keys(catalogue).join(" and ")}` : `did you mean ${near}?`;
  return new ImageError("image-unknown", `there is no image ${name}: ${hint}`);
}
