// The proxies that the environment names (HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case), for all of fetch().
// Node.js heeds them by itself only where NODE_USE_ENV_PROXY is set. Called around a build.
import { setGlobalProxyFromEnv } from "node:http";

const LOOPBACK = "localhost,127.0.0.1,::1";

/** Routes requests as the environment says; returns what puts things back. This host itself is never behind a proxy. */
export function useProxies(environment: Readonly<Record<string, string | undefined>> = process.env): () => void {
  const find = (name: string) => environment[name.toLowerCase()] || environment[name];
  const [http, https, except] = [find("HTTP_PROXY"), find("HTTPS_PROXY"), find("NO_PROXY")];
  if (http === undefined && https === undefined) return () => {};
  return setGlobalProxyFromEnv({
    ...(http === undefined ? {} : { http_proxy: http }),
    ...(https === undefined ? {} : { https_proxy: https }),
    no_proxy: except === undefined ? LOOPBACK : `${except},${LOOPBACK}`,
  });
}
