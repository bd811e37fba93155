/* fib(38), three times, by its definition: calls and returns and little else. */
#include "bench.h"

/* Without this the compiler unrolls the recursion, and what is left are loops. */
__attribute__((noinline, noclone, optimize("no-optimize-sibling-calls"))) static uint64_t fib(uint32_t n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv) {
  double work = 3 * scale_of(argc, argv);
  volatile uint32_t n = 38;
  /* One step down is a golden ratio less. */
  for (; work < 1 && n > 20; work *= 1.618) n--;
  uint32_t rounds = scaled(work, 1);
  uint64_t start = now_ns(), sum = SUM_START;
  for (uint32_t i = 0; i < rounds; i++) sum = mix_in(sum, fib(n));
  return report("fib", sum, start);
}
