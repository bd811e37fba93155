/* First touch of 64 MiB of fresh memory, four times: page faults, zeroed pages, TLB flushes. */
#define _GNU_SOURCE
#include "bench.h"
#include <sys/mman.h>

#define SIZE (64u << 20)

int main(int argc, char **argv) {
  uint32_t rounds = scaled(4, scale_of(argc, argv));
  uint64_t start = now_ns(), sum = SUM_START;
  for (uint32_t round = 0; round < rounds; round++) {
    uint8_t *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    /* One fault per page, as on a system whose large pages are off. */
    madvise(memory, SIZE, MADV_NOHUGEPAGE);
    for (uint32_t at = 0; at < SIZE; at += 4096) memory[at] = (uint8_t)(at >> 12);
    for (uint32_t at = 0; at < SIZE; at += 4096 * 61) sum = mix_in(sum, memory[at]);
    munmap(memory, SIZE);
  }
  return report("faults", sum, start);
}
