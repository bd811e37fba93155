// Which mirror to fetch from: the caller's, the environment's, or the ones this host's apt is configured with.
// Called when an archive is opened.
import { ImageError } from "../error.ts";
import { readSources, type Source } from "./sources-list.ts";

/** Environment variable that names the mirror to use, as the part of the URL before `/dists`. */
export const MIRROR_VARIABLE = "BULKHEAD_MIRROR";

const tidy = (uri: string) => uri.replace(/\/+$/, "");

function rank({ uri, suite }: Source, wantedSuite: string): number {
  if (suite === wantedSuite) return 0;
  return /\/debian\/*$/.test(uri) ? 1 : 2;
}

/** The mirrors among apt's sources that may hold the suite, likeliest first; security and update archives never do. */
export function candidates(sources: readonly Source[], suite: string): string[] {
  const usable = sources.filter(
    (source) => /^https?:\/\//.test(source.uri) && /^[a-z]+$/.test(source.suite) && !/security/.test(source.uri),
  );
  const sorted = usable.sort((a, b) => rank(a, suite) - rank(b, suite));
  return [...new Set(sorted.map(({ uri }) => tidy(uri)))];
}

/** The mirrors to try, in order. Throws `mirror-missing` where there is none, and on a URL that is not HTTP. */
export async function findMirrors(options: {
  suite: string;
  mirror?: string | undefined;
  environment?: Readonly<Record<string, string | undefined>>;
  aptDirectory?: string;
}): Promise<string[]> {
  const { suite, environment = process.env, aptDirectory } = options;
  const chosen = options.mirror ?? (environment[MIRROR_VARIABLE] || undefined);
  if (chosen !== undefined) {
    if (!/^https?:\/\/[^/\s]+/.test(chosen) || !URL.canParse(chosen)) {
      throw new ImageError("mirror-missing", `${chosen} is not a mirror's address: expected http://HOST/PATH`);
    }
    return [tidy(chosen)];
  }
  const found = candidates(await readSources(aptDirectory), suite);
  if (found.length > 0) return found;
  throw new ImageError(
    "mirror-missing",
    `no Debian mirror in this host's apt sources: set ${MIRROR_VARIABLE} to one, like http://HOST/debian`,
  );
}
