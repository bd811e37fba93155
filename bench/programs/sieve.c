/* Sieve of Eratosthenes over 8 million bytes, forty times: short loops of byte stores. */
#include "bench.h"
#include <string.h>

#define SIZE 8000000u
static uint8_t composite[SIZE];

static uint32_t count_primes(void) {
  uint32_t primes = 0;
  memset(composite, 0, SIZE);
  for (uint32_t i = 2; i < SIZE; i++) {
    if (composite[i]) continue;
    primes++;
    if (i < SIZE / i)
      for (uint32_t j = i * i; j < SIZE; j += i) composite[j] = 1;
  }
  return primes;
}

int main(int argc, char **argv) {
  uint32_t rounds = scaled(40, scale_of(argc, argv));
  uint64_t start = now_ns(), sum = SUM_START;
  for (uint32_t i = 0; i < rounds; i++) sum = mix_in(sum, count_primes());
  return report("sieve", sum, start);
}
