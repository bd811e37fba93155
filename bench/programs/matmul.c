/* Product of two 256 x 256 matrices of doubles, 45 times: multiply-add on inexact values. */
#include "bench.h"
#include <math.h>

#define N 256
static double a[N][N], b[N][N], c[N][N];

static void multiply(void) {
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) c[i][j] = 0;
    for (int k = 0; k < N; k++) {
      double factor = a[i][k];
      for (int j = 0; j < N; j++) c[i][j] += factor * b[k][j];
    }
  }
}

int main(int argc, char **argv) {
  uint32_t rounds = scaled(45, scale_of(argc, argv)), seed = 7;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i][j] = (double)(next_random(&seed) % 2000) / 997.0 - 1.0;
      b[i][j] = (double)(next_random(&seed) % 2000) / 991.0 - 1.0;
    }
  uint64_t start = now_ns(), sum = SUM_START;
  for (uint32_t i = 0; i < rounds; i++) {
    multiply();
    /* The next round depends on this one. */
    a[i % N][0] = c[i % N][i % N] / 256.0;
  }
  /* Rounded: a machine with a fused multiply-add and one without differ in the last bits. */
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) sum = mix_in(sum, (uint64_t)(int64_t)(c[i][j] * 1e4 + 0.5));
  return report("matmul", sum, start);
}
