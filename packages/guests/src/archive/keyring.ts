// The keys that Debian signs its archive with: the host's keyring where it has one, else a keyring from the mirror
// of which only keys with known fingerprints count. Called by archive/client.ts.
import { readFile } from "node:fs/promises";
import { type Key, readKeys } from "openpgp";
import { ImageError } from "../error.ts";

/** Fingerprints of the keys that sign Debian 13 "trixie". */
export const trixieFingerprints: Readonly<Record<string, string>> = {
  "04b54c3cdca79751b16bc6b5225629df75b188bd": "Debian Archive Automatic Signing Key (13/trixie)",
  "41587f7db8c774bccf131416762f67a0b2c39de4": "Debian Stable Release Key (13/trixie)",
};

/** Where Debian's package debian-archive-keyring puts its keys. */
export const KEYRING_PATHS = [
  "/usr/share/keyrings/debian-archive-keyring.pgp",
  "/usr/share/keyrings/debian-archive-keyring.gpg",
] as const;

/** The keys of a binary or armored keyring. Throws `keyring-missing` where there is none in it. */
export async function parseKeyring(bytes: Uint8Array, from: string): Promise<Key[]> {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  try {
    const armored = text.includes("-----BEGIN PGP");
    return await (armored
      ? readKeys({ armoredKeys: new TextDecoder().decode(bytes) })
      : readKeys({ binaryKeys: bytes }));
  } catch (cause) {
    throw new ImageError("keyring-missing", `${from} holds no OpenPGP keys`, { cause });
  }
}

/** The first keyring of this host, or undefined. */
export async function hostKeyring(paths: readonly string[] = KEYRING_PATHS): Promise<Key[] | undefined> {
  for (const path of paths) {
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes !== undefined) return await parseKeyring(bytes, path);
  }
  return undefined;
}

/** Of keys from an untrusted place, those whose fingerprint is known. Throws `keyring-missing` where none is. */
export function knownKeys(
  keys: readonly Key[],
  fingerprints: Readonly<Record<string, string>> = trixieFingerprints,
): Key[] {
  const known = keys.filter((key) => Object.hasOwn(fingerprints, key.getFingerprint().toLowerCase()));
  if (known.length > 0) return known;
  throw new ImageError("keyring-missing", "the mirror's keyring holds none of the keys that sign Debian 13");
}
