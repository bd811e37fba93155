// The signed root of an archive: InRelease, an OpenPGP clear-signed list of checksums.
// Specification: Debian repository format, "Release files". Called by archive/client.ts.
import { type Key, readCleartextMessage, verify } from "openpgp";
import { ImageError } from "../error.ts";
import { parseParagraph } from "./deb822.ts";

/** What the list says of one file below `dists/SUITE/`. */
export interface ReleaseFile {
  size: number;
  sha256: string;
}

/** A verified release. */
export interface Release {
  codename: string;
  version: string;
  date: string;
  byHash: boolean;
  files: ReadonlyMap<string, ReleaseFile>;
}

/** Takes a release's fields apart. Throws `archive-invalid` where it is another suite than the wanted one. */
export function parseRelease(text: string, suite: string): Release {
  const fields = parseParagraph(text);
  const codename = fields.get("codename") ?? "";
  if (codename !== suite && fields.get("suite") !== suite) {
    throw new ImageError(
      "archive-invalid",
      `the mirror answers for ${codename || "no suite"} where ${suite} was asked`,
    );
  }
  const until = fields.get("valid-until");
  if (until !== undefined && Date.parse(until) < Date.now()) {
    throw new ImageError("archive-invalid", `the mirror's index of ${suite} expired on ${until}`);
  }
  const files = new Map<string, ReleaseFile>();
  for (const line of (fields.get("sha256") ?? "").split("\n")) {
    const [sha256 = "", size = "", name] = line.trim().split(/\s+/);
    if (name !== undefined && /^[0-9a-f]{64}$/.test(sha256)) files.set(name, { size: Number(size), sha256 });
  }
  return {
    codename,
    version: fields.get("version") ?? "",
    date: fields.get("date") ?? "",
    byHash: fields.get("acquire-by-hash") === "yes",
    files,
  };
}

/** The signed text of an InRelease file, once one of the keys has been found to have signed it. */
export async function verifyRelease(armored: string, keys: readonly Key[], from: string): Promise<string> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new ImageError("signature-invalid", `${from}: ${why}`, { cause });
  };
  if (!armored.trimStart().startsWith("-----BEGIN PGP SIGNED MESSAGE-----")) refuse("expected a signed index");
  const message = await readCleartextMessage({ cleartextMessage: armored }).catch((cause) =>
    refuse("the signed index is damaged", cause),
  );
  const { data, signatures } = await verify({ message, verificationKeys: [...keys] }).catch((cause) =>
    refuse("the signature cannot be read", cause),
  );
  const verdicts = await Promise.allSettled(signatures.map(({ verified }) => verified));
  if (verdicts.some((verdict) => verdict.status === "fulfilled" && verdict.value)) return data as string;
  const failure = verdicts.find((verdict) => verdict.status === "rejected");
  return refuse("none of its signatures is by a trusted key and intact", failure?.reason);
}
