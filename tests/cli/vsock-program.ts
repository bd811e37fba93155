/**
 * A Linux program of some fifty instructions for guests without any tool for AF_VSOCK: it makes one connection, and then
 * becomes the program that its arguments name, with the connection as its standard input and output.
 */
import { addi, ECALL, ld, lui, sp, zero } from "../../packages/machine/src/sample-assembler.ts";

const [a0, a1, a2, a7, s1, s2] = [10, 11, 12, 17, 9, 18];
/** Numbers of system calls. @spec Linux, include/uapi/asm-generic/unistd.h */
const Call = {
  dup3: 24,
  close: 57,
  exit: 93,
  socket: 198,
  bind: 200,
  listen: 201,
  accept: 202,
  connect: 203,
  execve: 221,
};
const [AF_VSOCK, SOCK_STREAM] = [40, 1];
export const ANY_CID = 0xffff_ffff;
export const HOST_CID = 2;

const BASE = 0x1_0000;
const HEADERS = 64 + 56;
/** Where the address of the socket lies, behind the code. */
const ADDRESS = 0x400;

const call = (number: number, ...before: number[]): number[] => [...before, addi(a7, zero, number), ECALL];
const value = (register: number, constant: number): number => addi(register, zero, constant);
/** Over the next instructions unless a0 is negative. */
const unlessFailed = (instructions: number[]): number[] => {
  const offset = (instructions.length + 1) * 4;
  const bge =
    (((offset >> 5) << 25) | (zero << 20) | (a0 << 15) | (5 << 12) | (((offset >> 1) & 15) << 8) | 0x63) >>> 0;
  return [bge, ...instructions];
};
const checked = (...instructions: number[]): number[] => [
  ...instructions,
  ...unlessFailed(call(Call.exit, value(a0, 111))),
];

const socketAddress = [lui(a1, BASE >>> 12), addi(a1, a1, ADDRESS), value(a2, 16)];
const onSocket = addi(a0, s1, 0);

const connecting = checked(...call(Call.connect, onSocket, ...socketAddress));
const accepting = [
  ...checked(...call(Call.bind, onSocket, ...socketAddress)),
  ...call(Call.listen, onSocket, value(a1, 1)),
  ...checked(...call(Call.accept, onSocket, value(a1, 0), value(a2, 0))),
  addi(s2, a0, 0),
  // Nobody else is to be accepted and never served.
  ...call(Call.close, onSocket),
  addi(s1, s2, 0),
];

/** The program's file, as a guest writes it. @param cid `ANY_CID` waits for a connection; any other is called. */
export function vsockProgram(cid: number, port: number): Uint8Array {
  const code = [
    ...checked(...call(Call.socket, value(a0, AF_VSOCK), value(a1, SOCK_STREAM), value(a2, 0))),
    addi(s1, a0, 0),
    ...(cid === ANY_CID ? accepting : connecting),
    ...call(Call.dup3, onSocket, value(a1, 0), value(a2, 0)),
    ...call(Call.dup3, onSocket, value(a1, 1), value(a2, 0)),
    ...call(Call.close, onSocket),
    ...call(Call.execve, ld(a0, sp, 16), addi(a1, sp, 16), value(a2, 0)),
    ...call(Call.exit, value(a0, 127)),
  ];
  const file = new Uint8Array(ADDRESS + 16);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // An executable of RISC-V with one segment, which is the whole file.
  const half = { 16: 2, 18: 243, 52: 64, 54: 56, 56: 1 };
  const word = { 20: 1, 64: 1, 68: 5 };
  const long = { 24: BASE + HEADERS, 32: 64, 80: BASE, 88: BASE, 96: file.length, 104: file.length, 112: 4096 };
  for (const [at, number] of Object.entries(half)) view.setUint16(Number(at), number, true);
  for (const [at, number] of Object.entries(word)) view.setUint32(Number(at), number, true);
  for (const [at, number] of Object.entries(long)) view.setBigUint64(Number(at), BigInt(number), true);
  for (const [i, instruction] of code.entries()) view.setUint32(HEADERS + i * 4, instruction, true);
  view.setUint16(ADDRESS, AF_VSOCK, true);
  view.setUint32(ADDRESS + 4, port, true);
  view.setUint32(ADDRESS + 8, cid, true);
  return file;
}
