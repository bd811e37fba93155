/** Whether tests that need a booted guest can run here: its image is built, or a mirror is there to build it from. */
import { cli } from "./cli.ts";

interface Listed {
  readonly name: string;
  readonly built: boolean;
  readonly outdated: boolean;
}

/** Environment variable that lets tests build what they need: minutes, and hundreds of MiB from a mirror. */
const BUILD_VARIABLE = "BULKHEAD_TEST_BUILD";

/** False when the image can be used, else the reason why not. Builds busybox where a mirror answers: seconds. */
export async function skipWithout(name: "busybox" | "debian"): Promise<false | string> {
  const { stdout } = await cli(["images", "list", "--json"]);
  const image = (JSON.parse(stdout) as Listed[]).find((each) => each.name === name);
  if (image?.built && !image.outdated) return false;
  if (name !== "busybox" && process.env[BUILD_VARIABLE] !== "1") {
    return `${name} is not built here: run bulkhead images build ${name}, or set ${BUILD_VARIABLE}=1`;
  }
  const build = await cli(["images", "build", name]);
  return build.code === 0 ? false : `${name} cannot be built here: ${build.stderr.trim().split("\n").at(-1)}`;
}
