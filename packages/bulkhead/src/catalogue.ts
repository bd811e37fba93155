/** The image catalogue of the guests package as the CLI uses it, with this host's machines to build images in. */
import { cacheDirectory, type EnsureOptions, ensureImage, ImageError, listImages, removeImage } from "@bulkhead/guests";
import { buildMachine } from "./build-machine.ts";
import { CliError } from "./failure.ts";
import type { BuildContext, Images } from "./images.ts";
import type { BuildOptions } from "./program.ts";
import { forgetImage } from "./snapshot/kept.ts";

const MIB_PER_GIB = 1024;

/** What every image of the user's own starts from. */
const ORIGIN = "debian";

export const catalogue: Images = {
  async ready(name, context) {
    const { kernel, initrd, append, disk } = await ensureImage(name, ensureOptions(context));
    return { kernel, initrd, append, disk, scratch: cacheDirectory() };
  },
  list: () => listImages(),
  async build(name, options, context) {
    const all = { ...ensureOptions(context), ...buildOptions(options), rebuild: true };
    await ensureImage(name, all).catch((error) => {
      const alone = error instanceof ImageError && error.code === "image-unknown" && all.include === undefined;
      if (!alone) throw error;
      throw new CliError("image-unknown", `${error.message}; an image of your own needs --include`, { cause: error });
    });
  },
  async remove(name) {
    await removeImage(name);
    forgetImage(name, cacheDirectory());
  },
};

const ensureOptions = ({ signal, onProgress }: BuildContext): EnsureOptions => ({
  runMachine: buildMachine,
  signal,
  onProgress,
});

function buildOptions({ include, from, mirror, size }: BuildOptions): EnsureOptions {
  if (from !== undefined && from !== ORIGIN) {
    throw new CliError(
      "usage",
      `--from: expected ${ORIGIN}, the only image that packages can be added to; found ${from}`,
    );
  }
  return {
    include: include
      ?.split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
    mirror,
    ...(size === undefined ? {} : { diskMiB: size * MIB_PER_GIB }),
  };
}
