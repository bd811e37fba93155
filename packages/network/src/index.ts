/** The network of guests: frames, a switch, and a NAT that needs no privileges. The `node` entry has the host's sockets. */
export * from "./frame.ts";
export { prepare } from "./segmentation.ts";
export * from "./switch/switch.ts";
export { usualFloodLimit } from "./switch/flood-limit.ts";
