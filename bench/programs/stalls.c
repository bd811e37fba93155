/* The longest stall while fresh code runs: thousands of functions, each new to the machine, are called often enough to be
 * worth translating, between looks at the clock; a timer signal every two milliseconds is expected meanwhile. */
#define _GNU_SOURCE
#include "bench.h"
#include <signal.h>
#include <sys/time.h>

#define PERIOD_US 2000
typedef uint64_t function(uint64_t);

/* Alike, but no two the same: constants, shifts, a loop and branches of each one's own. */
#define FUNCTION(n)                                                      \
  __attribute__((noinline)) static uint64_t f##n(uint64_t x) {           \
    for (uint32_t i = 0; i < 4 + (1##n & 3); i++) {                      \
      x = x * (2 * 1##n##u + 1) + (x >> (1 + (1##n & 15)));              \
      if (x & (1u << (1##n % 29))) x ^= 0x9e3779b9u * (uint64_t)1##n##u; \
      else x += (x << (1##n % 11 + 1)) - 1##n;                           \
      if ((x >> 7 & 15) == (1##n & 15)) x = ~x + i;                      \
    }                                                                    \
    return x;                                                            \
  }
#define ADDRESS(n) f##n,
#define TEN(m, p) m(p##0) m(p##1) m(p##2) m(p##3) m(p##4) m(p##5) m(p##6) m(p##7) m(p##8) m(p##9)
#define HUNDRED(m, p) \
  TEN(m, p##0) TEN(m, p##1) TEN(m, p##2) TEN(m, p##3) TEN(m, p##4) \
  TEN(m, p##5) TEN(m, p##6) TEN(m, p##7) TEN(m, p##8) TEN(m, p##9)
#define THOUSAND(m, p) \
  HUNDRED(m, p##0) HUNDRED(m, p##1) HUNDRED(m, p##2) HUNDRED(m, p##3) HUNDRED(m, p##4) \
  HUNDRED(m, p##5) HUNDRED(m, p##6) HUNDRED(m, p##7) HUNDRED(m, p##8) HUNDRED(m, p##9)
THOUSAND(FUNCTION, 1)
THOUSAND(FUNCTION, 2)
static function *const functions[] = {THOUSAND(ADDRESS, 1) THOUSAND(ADDRESS, 2)};
#define FUNCTIONS (sizeof functions / sizeof *functions)

static volatile uint64_t last_signal, worst_signal;

static void on_timer(int number) {
  (void)number;
  uint64_t now = now_ns();
  uint64_t gap = now - last_signal;
  if (last_signal && gap > worst_signal) worst_signal = gap;
  last_signal = now;
}

int main(int argc, char **argv) {
  uint32_t calls = scaled(3000, scale_of(argc, argv));
  struct itimerval timer = {{0, PERIOD_US}, {0, PERIOD_US}};
  struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  /* What the measurement itself runs is no longer fresh when it begins. */
  on_timer(0);
  last_signal = 0;
  setitimer(ITIMER_REAL, &timer, NULL);
  uint64_t start = now_ns(), last = start, worst = 0, sum = SUM_START;
  for (uint32_t at = 0; at < FUNCTIONS; at += 10) {
    for (uint32_t call = 0; call < calls; call++) {
      sum = functions[at + call % 10](sum);
      uint64_t now = now_ns();
      if (now - last > worst) worst = now - last;
      last = now;
    }
  }
  setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
  uint64_t late = worst_signal > PERIOD_US * 1000 ? worst_signal - PERIOD_US * 1000 : 0;
  printf("@value stall-poll %llu\n", (unsigned long long)worst);
  printf("@value stall-timer %llu\n", (unsigned long long)late);
  return report("stalls", sum, start);
}
