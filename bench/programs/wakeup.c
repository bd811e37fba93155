/* How late a sleeper wakes: absolute sleeps of ten milliseconds each, as cyclictest does them. In nanoseconds. */
#include "bench.h"

#define INTERVAL_NS 10000000u
#define MOST 100000u
static uint64_t late[MOST];

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  uint32_t sleeps = scaled(500, scale_of(argc, argv));
  if (sleeps > MOST) sleeps = MOST;
  uint64_t due = now_ns();
  for (uint32_t i = 0; i < sleeps; i++) {
    due += INTERVAL_NS;
    struct timespec until = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    uint64_t now = now_ns();
    late[i] = now - due;
    /* Whoever wakes later than the next moment sleeps from then on. */
    if (now > due + INTERVAL_NS) due = now;
  }
  qsort(late, sleeps, sizeof *late, ascending);
  printf("@value wakeup-median %llu\n", (unsigned long long)late[sleeps / 2]);
  printf("@value wakeup-p99 %llu\n", (unsigned long long)late[(uint64_t)sleeps * 99 / 100]);
  printf("@value wakeup-worst %llu\n", (unsigned long long)late[sleeps - 1]);
  return 0;
}
