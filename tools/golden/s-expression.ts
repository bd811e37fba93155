/** S-expressions of the WebAssembly text format: read without comments, written with as much on a line as fits. */

export type Expression = string | Expression[];

const WIDTH = 110;

/** The first expression of a text. */
export function parse(text: string): Expression[] {
  const open: Expression[][] = [[]];
  for (const [token] of text.matchAll(/\(;.*?;\)|;;[^\n]*|"[^"]*"|[()]|[^\s()";]+/gs)) {
    if (token.startsWith("(;") || token.startsWith(";;")) continue;
    if (token === "(") open.push([]);
    else if (token === ")") {
      const closed = open.pop()!;
      open.at(-1)!.push(closed);
    } else open.at(-1)!.push(token);
  }
  return open[0]![0] as Expression[];
}

/** The text of an expression. What does not fit on a line gets one for each item, and so does what is structure anyway. */
export function print(expression: Expression, indent = 0): string {
  if (typeof expression === "string") return expression;
  const flat = onOneLine(expression);
  if (indent + flat.length <= WIDTH && !isStructure(expression)) return flat;
  const [kind] = expression;
  const end = expression.findIndex((item) => typeof item !== "string" && !isHeader(kind, item));
  const [header, body] = end < 0 ? [expression, []] : [expression.slice(0, end), expression.slice(end)];
  const locals = body.filter((item) => isA(item, "local"));
  const lines = [
    header.map(onOneLine).join(" "),
    ...(locals.length > 0 ? [locals.map(onOneLine).join(" ")] : []),
    ...body.filter((item) => !isA(item, "local")).map((item) => print(item, indent + 2)),
  ];
  return `(${lines.join(`\n${" ".repeat(indent + 2)}`)})`;
}

/** Whether an item is a list of a kind. */
export const isA = (item: Expression, kind: string): item is Expression[] =>
  typeof item !== "string" && item[0] === kind;

const onOneLine = (expression: Expression): string =>
  typeof expression === "string" ? expression : `(${expression.map(onOneLine).join(" ")})`;

/** Whether an item stands beside what its list is: the parameters of a function, the result of a block. */
const isHeader = (kind: Expression | undefined, item: Expression): boolean =>
  kind !== "module" && ["param", "result", "type"].some((header) => isA(item, header));

const structures = ["module", "func", "block", "loop", "if", "then", "else"];

/** Whether a list is control flow with something in it, and so is shown over several lines even where it would fit on one. */
function isStructure(list: Expression[]): boolean {
  const isEmpty = list.every((item) => typeof item === "string" || isHeader(list[0], item));
  return !isEmpty && (structures.includes(list[0] as string) || hasChoice(list));
}

const hasChoice = (list: Expression[]): boolean =>
  list[0] === "then" || list.some((item) => typeof item !== "string" && hasChoice(item));
