/** INIT: what driver and server settle on. @spec fuse.h `fuse_init_in`, `fuse_init_out` */
import { Errno, refusal } from "../errno.ts";
import { FUSE_MAJOR, FUSE_MINOR, InitFlag, LEAST_MINOR } from "./protocol.ts";
import type { FuseReply } from "./reply.ts";
import type { FuseRequest } from "./request.ts";

/** Most bytes of a READ or a WRITE: 256 pages, the most that a Linux guest can send. */
export const MAX_TRANSFER_BYTES = 1024 * 1024;
const MAX_PAGES = MAX_TRANSFER_BYTES / 4096;
/** Requests that a guest may have under way without waiting for them. */
const MAX_BACKGROUND = 64;
const CONGESTION = 48;

/**
 * What is accepted. Not: remote locks (they are the guest's own), ACLs, and O_TRUNC as a part of OPEN, since files are used
 * without OPEN.
 */
const ACCEPTED =
  InitFlag.asyncRead |
  InitFlag.bigWrites |
  InitFlag.autoInvalidate |
  InitFlag.readdirplus |
  InitFlag.asyncDirect |
  InitFlag.noOpen |
  InitFlag.parallelDirectories |
  InitFlag.maxPages |
  InitFlag.cacheSymlinks |
  InitFlag.killPrivileges;

/** @param alone nobody but the guest changes the files: it may keep writes to itself for a while. */
export function answerInit(request: FuseRequest, reply: FuseReply, alone: boolean): void {
  const major = request.u32();
  const minor = request.u32();
  const readahead = request.u32();
  const offered = request.u32();
  if (major < FUSE_MAJOR || (major === FUSE_MAJOR && minor < LEAST_MINOR)) throw refusal(Errno.EOPNOTSUPP);
  reply.u32(FUSE_MAJOR);
  reply.u32(FUSE_MINOR);
  if (major > FUSE_MAJOR) {
    // The driver is to say INIT again, with this version.
    reply.zeros(56);
    return;
  }
  reply.u32(Math.min(readahead, MAX_TRANSFER_BYTES));
  reply.u32((offered & (ACCEPTED | (alone ? InitFlag.writebackCache : 0))) >>> 0);
  reply.u32(MAX_BACKGROUND | (CONGESTION << 16));
  reply.u32(MAX_TRANSFER_BYTES);
  // Times are kept to the nanosecond.
  reply.u32(1);
  reply.u32(MAX_PAGES);
  reply.zeros(32);
}
