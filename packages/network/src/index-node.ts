/** The parts of the network that use the host's sockets and files. */
export * from "./clock-node.ts";
export { nodeHost } from "./nat/host-node.ts";
export * from "./nat/publish-node.ts";
