/* What every program shares: the scale on its command line, the clock, and the one line it reports.
 * The line is "@row NAME CHECKSUM NANOSECONDS"; the checksum must not depend on the machine. */
#ifndef BENCH_H
#define BENCH_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The first argument, a positive factor; 1 without one. */
static inline double scale_of(int argc, char **argv) {
  double scale = argc > 1 ? strtod(argv[1], NULL) : 1.0;
  return scale > 0 ? scale : 1.0;
}

/* A count times the scale, at least one. */
static inline uint32_t scaled(double count, double scale) {
  double product = count * scale + 0.5;
  return product < 1 ? 1 : (uint32_t)product;
}

/* Pseudo-random numbers, the same everywhere. */
static inline uint32_t next_random(uint32_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static inline uint64_t mix_in(uint64_t sum, uint64_t value) { return (sum ^ value) * 0x100000001b3u; }
#define SUM_START 0xcbf29ce484222325u

static inline int report(const char *name, uint64_t checksum, uint64_t start_ns) {
  uint64_t ns = now_ns() - start_ns;
  printf("@row %s %016llx %llu\n", name, (unsigned long long)checksum, (unsigned long long)ns);
  return 0;
}

static inline void fail(const char *what) {
  perror(what);
  exit(1);
}
#endif
