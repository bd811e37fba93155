// Where fetched packages and built images live: the XDG cache directory, or what BULKHEAD_CACHE names.
// Specification: XDG Base Directory, "Environment variables".
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Environment variable that names the cache directory itself. */
export const CACHE_VARIABLE = "BULKHEAD_CACHE";

/** The cache directory for an environment; relative XDG paths are ignored, as their specification asks. */
export function cacheDirectory(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const own = environment[CACHE_VARIABLE];
  if (own) return own;
  const xdg = environment.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(environment.HOME || homedir(), ".cache"), "bulkhead");
}
