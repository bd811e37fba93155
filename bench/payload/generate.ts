/** Large inputs for the real programs, the same in every run: a C file for gcc, a text for perl and xz. */

/** Pseudo-random numbers below `most`. */
function randomNumbers(seed: number): (most: number) => number {
  let state = seed >>> 0 || 1;
  return (most) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % most;
  };
}

const pick = <T>(from: readonly T[], random: (most: number) => number): T => from[random(from.length)];

/** A C file of `functions` functions with loops, switches, structures, floating point and calls. */
export function generateC(functions: number): string {
  const random = randomNumbers(12345);
  const name = (): string => pick(["a", "b", "c", "d"], random);
  const number = (): string => String(1 + random(999));
  const operator = (): string => pick(["+", "-", "*", "^", "&", "|"], random);
  const expression = (depth: number): string =>
    depth === 0
      ? pick([name, number, () => `t[${name()} & 63]`], random)()
      : `(${expression(depth - 1)} ${operator()} ${expression(depth - 1)})`;
  const statement = (depth: number, index: number): string => {
    const inner = (): string => (depth > 0 ? statement(depth - 1, index) : `${name()} += ${expression(1)};`);
    const forms = [
      () => `${name()} = ${expression(2)};`,
      () => `if (${expression(1)} > ${number()}) { ${inner()} } else { ${inner()} }`,
      () => `for (int i = 0; i < ${1 + random(40)}; i++) { ${inner()} t[i & 63] ^= ${name()}; }`,
      () =>
        `switch (${name()} & 7) { ${[0, 1, 2, 3, 5].map((k) => `case ${k}: ${inner()} break;`).join(" ")} default: ${inner()} }`,
      () => `x = x * ${random(9)}.5 + (double)${name()}; if (x > 1e9) x /= ${number()}.25;`,
      () => `s.${pick(["first", "second"], random)} += ${expression(1)}; s.third *= 1.${number()};`,
      () => (index > 0 ? `${name()} += f${random(index)}(${name()}, ${name()}, t);` : `${name()}++;`),
    ];
    return pick(forms, random)();
  };
  const parts = ["#include <stdint.h>", "struct s { int64_t first; int32_t second; double third; };"];
  for (let index = 0; index < functions; index++) {
    const body = Array.from({ length: 8 }, () => `  ${statement(2, index)}`).join("\n");
    parts.push(
      `int64_t f${index}(int64_t a, int64_t b, int64_t *t) {`,
      "  int64_t c = a ^ b, d = a - b; double x = (double)a; struct s s = {a, (int32_t)b, x};",
      body,
      "  return a + b + c + d + (int64_t)x + s.first + s.second + (int64_t)s.third;",
      "}",
    );
  }
  return `${parts.join("\n")}\n`;
}

const syllables = "ka lo mi re su ta ven dor al is en par ton ing ed er qua sti fro gal hem ne po ru".split(" ");

/** A text of about `bytes` bytes: words as frequent as in a language, in lines and paragraphs. */
export function generateText(bytes: number): string {
  const random = randomNumbers(777);
  const words = Array.from({ length: 4000 }, () =>
    Array.from({ length: 1 + random(4) }, () => pick(syllables, random)).join(""),
  );
  const lines: string[] = [];
  for (let length = 0; length < bytes; ) {
    // The product of two even spreads prefers low places, as languages prefer few words.
    const line = Array.from({ length: 6 + random(9) }, () => words[Math.floor((random(4000) * random(4000)) / 4000)]);
    const text = `${line.join(" ")}${random(5) === 0 ? ".\n" : ""}`;
    lines.push(text);
    length += text.length + 1;
  }
  return `${lines.join("\n")}\n`;
}
