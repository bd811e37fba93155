/** The parts of the network that use the host's sockets and files. */
export * from "./capture/capture-node.ts";
export * from "./clock-node.ts";
export { NodeStream, nodeHost } from "./nat/host-node.ts";
export * from "./nat/publish-node.ts";
export * from "./segment/segment-node.ts";
export * from "./uplink/passt-node.ts";
export * from "./uplink/tap-node.ts";
