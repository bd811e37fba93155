import { CliError } from "./failure.ts";
import type { Images } from "./images.ts";
export const catalogue = async (): Promise<Images> => {
  throw new CliError("image-unknown", "no images yet");
};
