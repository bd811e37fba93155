/** Where an NBD export is, as a URL says it. @spec NBD "URI": nbd://host[:port]/export, nbd+unix:///export?socket=path */
import { DiskError } from "../disk-error.ts";

export type NbdAddress = { readonly url: string; readonly exportName: string } & (
  | { readonly socket: string }
  | { readonly host: string; readonly port: number }
);

const DEFAULT_PORT = 10809;

/** Whether a disk is named by a URL rather than by a path. */
export const isNbdUrl = (text: string): boolean => /^nbds?(\+[a-z]+)?:\/\//i.test(text);

/** Errors: `disk-format` for a URL that names no export, or one that needs TLS. */
export function parseNbdUrl(text: string): NbdAddress {
  const refuse = (why: string): never => {
    throw new DiskError(
      "disk-format",
      `disk ${text}: ${why}; expected nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH`,
    );
  };
  const url = URL.canParse(text) ? new URL(text) : refuse("it is not a URL");
  if (url.protocol.startsWith("nbds")) refuse("TLS is not supported");
  if (url.username !== "" || url.password !== "" || url.hash !== "") refuse("it has parts that NBD does not know");
  const exportName = decodeURIComponent(url.pathname.replace(/^\//, ""));
  if (url.protocol === "nbd+unix:") {
    const socket = url.searchParams.get("socket");
    return socket ? { url: text, exportName, socket } : refuse("it does not name a socket");
  }
  if (url.protocol !== "nbd:") refuse(`${url.protocol}// is not supported`);
  if (url.hostname === "") refuse("it does not name a host");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { url: text, exportName, host, port: url.port === "" ? DEFAULT_PORT : Number(url.port) };
}
