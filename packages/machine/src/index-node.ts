/** What machines need of Node: a time that its threads share, and regions compiled on another thread. */
export { RemoteService, serveRegions } from "./jit/remote-service-node.ts";
export * from "./threads/shared-time-node.ts";
