/* A walk along one random cycle through 64 MiB, a cache line per step: every load misses caches and TLBs. */
#include "bench.h"

#define LINES (1u << 20)
struct line {
  uint32_t next;
  uint32_t payload[15];
};
static struct line lines[LINES];

int main(int argc, char **argv) {
  uint32_t steps = scaled(20e6, scale_of(argc, argv)), seed = 5;
  for (uint32_t i = 0; i < LINES; i++) lines[i].next = i, lines[i].payload[0] = i * 2654435761u;
  /* Sattolo's shuffle: a single cycle. */
  for (uint32_t i = LINES - 1; i > 0; i--) {
    uint32_t j = next_random(&seed) % i, swapped = lines[i].next;
    lines[i].next = lines[j].next;
    lines[j].next = swapped;
  }
  uint64_t start = now_ns(), sum = 0;
  uint32_t at = 0;
  for (uint32_t i = 0; i < steps; i++) {
    sum += lines[at].payload[0];
    at = lines[at].next;
  }
  return report("chase", mix_in(sum, at), start);
}
