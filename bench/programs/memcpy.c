/* A copy of 64 MiB with the C library's memcpy, a hundred times. */
#include "bench.h"
#include <string.h>

#define SIZE (64u << 20)
static uint8_t from[SIZE], to[SIZE];

int main(int argc, char **argv) {
  uint32_t rounds = scaled(100, scale_of(argc, argv)), seed = 9;
  for (uint32_t i = 0; i < SIZE; i += 64) from[i] = (uint8_t)next_random(&seed);
  memset(to, 1, SIZE);
  uint64_t start = now_ns(), sum = SUM_START;
  for (uint32_t i = 0; i < rounds; i++) {
    from[i] ^= 0x55;
    memcpy(to, from, SIZE);
    __asm__ volatile("" ::: "memory");
  }
  for (uint32_t i = 0; i < SIZE; i += 4093) sum = mix_in(sum, to[i]);
  return report("memcpy", sum, start);
}
