/* The mix of a small controller, as CoreMark has it: a linked list, integer matrices, a state machine and a CRC. */
#include "bench.h"

struct node {
  struct node *next;
  int16_t key;
  uint16_t value;
};

#define NODES 512
static struct node pool[NODES];

static uint16_t crc(uint16_t sum, uint16_t value) {
  for (int i = 0; i < 16; i++) {
    uint16_t bit = (value ^ sum) & 1;
    sum >>= 1;
    value >>= 1;
    if (bit) sum ^= 0xa001;
  }
  return sum;
}

static struct node *list_new(uint32_t *seed) {
  for (int i = 0; i < NODES; i++) {
    uint32_t random = next_random(seed);
    pool[i] = (struct node){i + 1 < NODES ? &pool[i + 1] : NULL, (int16_t)(random % 1000), (uint16_t)(random >> 16)};
  }
  return pool;
}

static struct node *list_reverse(struct node *list) {
  struct node *reversed = NULL;
  while (list) {
    struct node *next = list->next;
    list->next = reversed;
    reversed = list;
    list = next;
  }
  return reversed;
}

static const struct node *list_find(const struct node *list, int16_t key) {
  while (list && list->key != key) list = list->next;
  return list;
}

static int by_key(const struct node *a, const struct node *b) { return a->key - b->key; }
static int by_value(const struct node *a, const struct node *b) { return a->value - b->value; }

/* Merge sort from the bottom up, as lists allow it. */
static struct node *list_sort(struct node *list, int (*compare)(const struct node *, const struct node *)) {
  for (int width = 1;; width *= 2) {
    struct node *left = list, *tail = NULL;
    int merges = 0;
    list = NULL;
    while (left) {
      merges++;
      struct node *right = left;
      int left_size = 0, right_size = width;
      while (left_size < width && right) left_size++, right = right->next;
      while (left_size > 0 || (right_size > 0 && right)) {
        struct node *taken;
        if (left_size > 0 && (right_size == 0 || !right || compare(left, right) <= 0))
          taken = left, left = left->next, left_size--;
        else
          taken = right, right = right->next, right_size--;
        if (tail) tail->next = taken;
        else list = taken;
        tail = taken;
      }
      left = right;
    }
    tail->next = NULL;
    if (merges <= 1) return list;
  }
}

static uint16_t list_work(uint32_t *seed, uint16_t sum) {
  struct node *list = list_new(seed);
  for (int i = 0; i < 60; i++) {
    list = list_reverse(list);
    const struct node *found = list_find(list, (int16_t)(next_random(seed) % 1200));
    sum = crc(sum, found ? found->value : 1);
  }
  list = list_sort(list, by_key);
  sum = crc(sum, list->value);
  list = list_sort(list, by_value);
  return crc(sum, (uint16_t)list->key);
}

#define SIDE 24
static int16_t ma[SIDE][SIDE], mb[SIDE][SIDE];
static int32_t mc[SIDE][SIDE];

static uint16_t matrix_work(uint32_t *seed, uint16_t sum) {
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) ma[i][j] = (int16_t)next_random(seed), mb[i][j] = (int16_t)(ma[i][j] >> 3 ^ j);
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      int32_t total = 0;
      for (int k = 0; k < SIDE; k++) {
        int32_t product = ma[i][k] * mb[k][j];
        total += (product >> 2 & 0xf) * (product >> 5 & 0x7f);
      }
      mc[i][j] = total;
    }
  int32_t total = 0, last = 0;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      total += mc[i][j];
      if (total > 9000) total = 0, sum = crc(sum, (uint16_t)last);
      else total += mc[i][j] > last ? 10 : 0;
      last = mc[i][j];
    }
  return crc(sum, (uint16_t)total);
}

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

static enum state scan_number(const char **text, uint32_t transitions[STATES]) {
  enum state state = START;
  for (; **text && **text != ','; (*text)++) {
    char c = **text;
    int digit = c >= '0' && c <= '9';
    enum state before = state;
    switch (state) {
      case START: state = digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID; break;
      case SIGN: state = digit ? INTEGER : c == '.' ? POINT : INVALID; break;
      case INTEGER: state = digit ? INTEGER : c == '.' ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : INVALID; break;
      case POINT: state = digit ? FRACTION : INVALID; break;
      case FRACTION: state = digit ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : INVALID; break;
      case EXPONENT: state = digit ? SCIENTIFIC : c == '+' || c == '-' ? EXPONENT_SIGN : INVALID; break;
      case EXPONENT_SIGN:
      case SCIENTIFIC: state = digit ? SCIENTIFIC : INVALID; break;
      default: break;
    }
    if (state != before) transitions[before]++;
  }
  if (**text == ',') (*text)++;
  return state;
}

static char text[2048];

static void text_new(uint32_t *seed) {
  static const char *const words[] = {"5012", "1234", "-874", "+122", "35.54400", ".1234500", "-110.700", "+0.64400",
                                      "5.500e+3", "-.123e-2", "-87e+832", "+0.6e-12", "T0.3e-1F", "-T.T++Tq", "1T3.4e4z", "34.0e-T^"};
  size_t at = 0;
  while (at + 12 < sizeof text) {
    for (const char *word = words[next_random(seed) % 16]; *word; word++) text[at++] = *word;
    text[at++] = ',';
  }
  text[at] = 0;
}

static uint16_t state_work(uint32_t *seed, uint16_t sum) {
  uint32_t transitions[STATES] = {0}, ends[STATES] = {0};
  text_new(seed);
  for (int round = 0; round < 4; round++)
    for (const char *at = text; *at;) ends[scan_number(&at, transitions)]++;
  for (int i = 0; i < STATES; i++) sum = crc(crc(sum, (uint16_t)transitions[i]), (uint16_t)ends[i]);
  return sum;
}

int main(int argc, char **argv) {
  uint32_t rounds = scaled(8000, scale_of(argc, argv)), seed = 3;
  uint64_t start = now_ns();
  uint16_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    sum = list_work(&seed, sum);
    sum = matrix_work(&seed, sum);
    sum = state_work(&seed, sum);
    for (int j = 0; j < NODES; j++) sum = crc(sum, pool[j].value);
  }
  return report("mix", sum, start);
}
