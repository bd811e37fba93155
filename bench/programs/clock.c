/* The guest's monotonic clock, for comparison with the host's. */
#include "bench.h"

int main(void) {
  printf("@value clock %llu\n", (unsigned long long)now_ns());
  return 0;
}
