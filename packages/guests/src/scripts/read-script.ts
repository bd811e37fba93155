// The shell scripts that run inside guests lie beside the code that puts them there.
import { readFile } from "node:fs/promises";

/** The bytes of a script; `url` is relative to the importing module by way of `import.meta.url`. */
export const readScript = (url: URL): Promise<Uint8Array> => readFile(url);

/** What both kinds of image use to serve commands. */
export const serveScript = (): Promise<Uint8Array> => readScript(new URL("serve.sh", import.meta.url));
