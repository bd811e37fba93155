/** A Node that is too old for the sources, as a host may have it. */
import { execFileSync } from "node:child_process";

/** Its path, if there is one on this host. */
export function oldNode(): string | undefined {
  for (const path of ["/usr/bin/node", "/usr/local/bin/node"]) {
    try {
      const version = execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" });
      if (Number(version.split(".")[0]) < 24) return path;
    } catch {
      // There is none at that place.
    }
  }
  return undefined;
}
