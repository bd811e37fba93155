/* Quicksort of 4 million integers, eight times: unpredictable branches and recursion. */
#include "bench.h"

#define SIZE 4000000u
static int32_t numbers[SIZE];

static void sort(int32_t *low, int32_t *high) {
  while (high - low > 16) {
    int32_t a = low[0], b = low[(high - low) / 2], c = high[-1];
    int32_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
    int32_t *left = low, *right = high - 1;
    for (;;) {
      while (*left < pivot) left++;
      while (*right > pivot) right--;
      if (left >= right) break;
      int32_t swapped = *left;
      *left++ = *right;
      *right-- = swapped;
    }
    int32_t *middle = left;
    if (middle - low < high - middle) sort(low, middle), low = middle;
    else sort(middle, high), high = middle;
  }
  for (int32_t *i = low + 1; i < high; i++) {
    int32_t moving = *i, *j = i;
    for (; j > low && j[-1] > moving; j--) *j = j[-1];
    *j = moving;
  }
}

int main(int argc, char **argv) {
  uint32_t rounds = scaled(8, scale_of(argc, argv)), seed = 11;
  uint64_t start = now_ns(), sum = SUM_START;
  for (uint32_t round = 0; round < rounds; round++) {
    for (uint32_t i = 0; i < SIZE; i++) numbers[i] = (int32_t)next_random(&seed);
    sort(numbers, numbers + SIZE);
    for (uint32_t i = 1; i < SIZE; i++)
      if (numbers[i - 1] > numbers[i]) sum = mix_in(sum, i);
    for (uint32_t i = 0; i < SIZE; i += 4999) sum = mix_in(sum, (uint32_t)numbers[i]);
  }
  return report("quicksort", sum, start);
}
