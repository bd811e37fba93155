// Programs in a Linux guest that write code and run it, as a JIT does, with one thread and with two; and a guest short of memory.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { assemble } from "@bulkhead/isa";
import { generator, mix, random } from "../bare-metal/self-modifying.ts";
import { writeElf } from "../differential/elf.ts";
import { IMAGE_BASE } from "../differential/image.ts";
import { cli, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const skip = await skipWithout("busybox");
const QEMU = process.env.QEMU_RISCV64 ?? "qemu-riscv64";
const withoutQemu = spawnSync(QEMU, ["--version"]).status !== 0 && "no qemu-riscv64 here";

/** Linux's system calls. */
const [WRITE, EXIT_GROUP, YIELD, MUNMAP, MREMAP, CLONE, MMAP, MPROTECT] = [64, 94, 124, 215, 216, 220, 222, 226];
const FLUSH_ICACHE = 259;
/** Of a thread: memory, files and signal handlers are shared. */
const CLONE_THREAD = 0x0005_0f00;

const call = (number: number): string => `li a7, ${number}\necall`;

/** A program that prints `s2` and ends. */
const program = (body: string): Uint8Array => {
  const text = `
    la t0, random
    ld s1, 0(t0)
    ld s10, 8(t0)
    ld s11, 16(t0)
    addi s2, zero, 0
    addi a1, zero, 0
    ${body}
    finish: la a1, digits
    addi t0, zero, 60
    digit: srl t1, s2, t0
    andi t1, t1, 15
    addi t2, zero, 10
    bltu t1, t2, decimal
    addi t1, t1, 39
    decimal: addi t1, t1, 48
    sb t1, 0(a1)
    addi a1, a1, 1
    addi t0, t0, -4
    bge t0, zero, digit
    la a1, digits
    addi a0, zero, 1
    addi a2, zero, 17
    ${call(WRITE)}
    addi a0, zero, 0
    ${call(EXIT_GROUP)}
    .align 8
    random: .dword 1
    .dword 1442695040888963407
    .dword 6364136223846793005
    digits: .space 16
    .half 10
    .align 4096`;
  return writeElf(assemble(text, IMAGE_BASE).bytes);
};

const flush = (from: string, bytes: number): string => `
  mv a0, ${from}
  li a1, ${bytes}
  add a1, a0, a1
  addi a2, zero, 0
  ${call(FLUSH_ICACHE)}`;

/** Functions at random places of its own pages, each called a few times. */
const ownPages = program(generator(1500, 0x3f7e).replace("fence.i", flush("s3", 16384)));

/** A page that is written while it is not executable and executed while it is not writable, and that moves now and then. */
const pages = program(`
  addi a0, zero, 0
  li a1, 8192
  addi a2, zero, 3
  addi a3, zero, 0x22
  addi a4, zero, -1
  addi a5, zero, 0
  ${call(MMAP)}
  mv s3, a0
  li s0, 1500
  round: ${random}
  mv a0, s3
  li a1, 8192
  addi a2, zero, 3
  ${call(MPROTECT)}
  # The function lies anywhere, often across both pages.
  srli t0, s1, 52
  addi t1, zero, -2
  and t0, t0, t1
  addi t0, t0, 2044
  add s4, s3, t0
  srli t4, s1, 48
  slli t4, t4, 20
  li t5, 0x50513
  or t5, t5, t4
  sh t5, 0(s4)
  srli t5, t5, 16
  sh t5, 2(s4)
  li t5, 0x8067
  sh t5, 4(s4)
  sh zero, 6(s4)
  mv a0, s3
  li a1, 8192
  addi a2, zero, 5
  ${call(MPROTECT)}
  ${flush("s3", 8192)}
  mv a0, s1
  jalr ra, 0(s4)
  jalr ra, 0(s4)
  ${mix}
  srli t0, s1, 61
  bnez t0, stay
  sub s4, s4, s3
  mv a0, s3
  li a1, 8192
  li a2, 12288
  addi a3, zero, 1
  ${call(MREMAP)}
  mv s3, a0
  li t0, 8192
  add a0, s3, t0
  li a1, 4096
  ${call(MUNMAP)}
  add s4, s4, s3
  mv a0, s1
  jalr ra, 0(s4)
  ${mix}
  stay: addi s0, s0, -1
  bnez s0, round`);

/** Two threads that rewrite each other's function, in turn; it prints how often one was not what was written last. */
const threads = program(`
  li a0, ${CLONE_THREAD}
  la a1, stack
  addi a2, zero, 0
  addi a3, zero, 0
  addi a4, zero, 0
  ${call(CLONE)}
  la s3, function
  la s4, turn
  addi s0, zero, 0
  bnez a0, first
  addi s0, zero, 1
  first: addi s5, zero, 0
  li s6, 200
  round: ld t0, 0(s4)
  fence
  andi t1, t0, 1
  beq t1, s0, mine
  ${call(YIELD)}
  j round
  mine: addi s7, zero, 4
  andi t1, t0, 0x7ff
  again: jalr ra, 0(s3)
  beq a0, t1, right
  addi s2, s2, 1
  right: addi s7, s7, -1
  bnez s7, again
  addi t0, t0, 1
  andi t1, t0, 0x7ff
  slli t1, t1, 20
  addi t2, zero, 0x513
  or t1, t1, t2
  sw t1, 0(s3)
  mv s8, t0
  ${flush("s3", 8)}
  fence
  sd s8, 0(s4)
  addi s5, s5, 1
  bne s5, s6, round
  ld t0, 8(s4)
  add t0, t0, s2
  sd t0, 8(s4)
  beqz s0, wait
  sd s5, 16(s4)
  park: ${call(YIELD)}
  j park
  wait: ${call(YIELD)}
  ld t0, 16(s4)
  beqz t0, wait
  ld s2, 8(s4)
  j finish
  .align 64
  turn: .space 64
  function: addi a0, zero, 0
  ret
  .align 4096
  .space 4096
  stack: .dword 0`);

/** What a program prints in a guest. */
async function inGuest(file: Uint8Array, ...options: string[]): Promise<string> {
  const start = "cat > /tmp/program; chmod +x /tmp/program; exec /tmp/program";
  const run = ["run", "busybox", "--network", "none", ...options, "--", "sh", "-c", start];
  const { code, stdout, stderr } = await cli(run, { input: file });
  assert.equal(code, 0, stderr);
  return stdout;
}

async function onQemu(file: Uint8Array): Promise<string> {
  return withFolder(async (folder) => {
    const path = join(folder, "program");
    await writeFile(path, file, { mode: 0o700 });
    return (await promisify(execFile)(QEMU, [path])).stdout;
  });
}

for (const [name, file] of Object.entries({ "in its own pages": ownPages, "in pages that move and change": pages })) {
  test(`guest: a program that writes code ${name} computes what it does on QEMU`, {
    skip: skip || withoutQemu,
  }, async () => {
    const expected = await onQemu(file);
    assert.match(expected, /^[0-9a-f]{16}\n$/);
    assert.equal(await inGuest(file), expected);
  });
}

test("guest: threads on two harts that rewrite each other's code run what was written last", { skip }, async () => {
  assert.equal(await inGuest(threads, "--cpus", "2"), `${"0".repeat(16)}\n`);
});

test("guest: programs run right while memory is short and their pages come and go", { skip }, async () => {
  // Files fill memory until little is left, over and over, while small programs are started and their output compared.
  const script = `
    mkdir -p /fill
    mount -t tmpfs -o size=100m none /fill
    for round in 1 2; do
      i=0
      while [ $i -lt 64 ] && [ "$(sed -n 's/MemAvailable: *\\([0-9]*\\).*/\\1/p' /proc/meminfo)" -gt 6000 ]; do
        head -c 1m /dev/urandom > /fill/$i
        i=$((i + 1))
      done
      [ $i -lt 64 ] && echo full
      echo 3 > /proc/sys/vm/drop_caches
      for n in 1 2 3 4 5 6 7 8; do
        seq 1 2000 | sort -n | tail -n 1
        seq 1 500 | md5sum
      done
      rm -f /fill/*
    done | sort | uniq -c`;
  const run = ["run", "busybox", "--network", "none", "--memory", "128", "--", "sh", "-c", script];
  const { stdout, stderr } = await cli(run);
  const counts = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim());
  assert.deepEqual(counts, ["16 2000", "16 5705e3c0d0044b724281f9bcc7520d3a  -", "2 full"], stderr);
});
