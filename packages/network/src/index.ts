/** The network of guests: frames, a switch, and a NAT that needs no privileges. The `node` entry has the host's sockets. */

export * from "./clock.ts";
export * from "./frame.ts";
export * from "./nat/addresses.ts";
export * from "./nat/gateway.ts";
export * from "./nat/host.ts";
export { NearEcho } from "./nat/near-echo.ts";
export { ByteQueue } from "./nat/tcp/byte-queue.ts";
export * from "./network-error.ts";
export { Policy } from "./policy/policy.ts";
export { parseRule, type Rule } from "./policy/rule.ts";
export { prepare } from "./segmentation.ts";
export { usualFloodLimit } from "./switch/flood-limit.ts";
export * from "./switch/switch.ts";
export { formatIp, formatMac, type IpAddress, macBytes, parseIp, parseMac } from "./wire/address.ts";
