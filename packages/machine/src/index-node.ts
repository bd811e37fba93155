/** What machines need of Node: a time that its threads share. */
export * from "./threads/shared-time-node.ts";
