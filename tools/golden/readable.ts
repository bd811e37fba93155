/**
 * A module of regions as readable text: functions, labels and locals by names, offsets into the hart's state with what is
 * there. Alignments, which are hints, are left out. Who calls it: the golden files.
 */
import assert from "node:assert/strict";
import { floatRegisterNames, registerNames } from "@bulkhead/isa";
import type wabt from "wabt";
import { HartState } from "../../packages/machine/src/hart/layout.ts";
import { type Expression, isA, parse, print } from "./s-expression.ts";

type Wabt = Awaited<ReturnType<typeof wabt>>;
const features = { threads: true, tail_call: true, relaxed_simd: true } as const;

/** @param functions names of the functions behind the imported ones. */
export function readable(library: Wabt, bytes: Uint8Array, functions: readonly string[]): string {
  const module = library.readWasm(bytes, features);
  const tree = parse(module.toText({ foldExprs: true }));
  module.destroy();
  const imported = tree.flatMap((item) => (isA(item, "import") && isA(item[3]!, "func") ? [unquoted(item[2]!)] : []));
  const names = [...imported, ...functions].map((name) => `$${name}`);
  let index = imported.length;
  const items = tree.map((item) => {
    if (isA(item, "import") && isA(item[3]!, "func")) {
      return [...item.slice(0, 3), ["func", `$${unquoted(item[2]!)}`, ...item[3].slice(1)]];
    }
    if (isA(item, "elem")) return ["elem", item[1]!, item[2]!, names[Number(item.at(-1))]!];
    return isA(item, "func") ? namedFunction(item, names, names[index++]!) : item;
  });
  const text = `${print(items)}\n`;
  const check = library.parseWat("golden.wat", text, features);
  assert.ok(WebAssembly.validate(new Uint8Array(check.toBinary({}).buffer)), "the text is no valid module");
  check.destroy();
  return text;
}

const unquoted = (item: Expression): string => (item as string).slice(1, -1);

const parameters = ["$hart", "$depth", "$entry", "$pc"];

function namedFunction(item: Expression[], functions: readonly string[], name: string): Expression[] {
  const [, ...rest] = item;
  const types = (kind: string) => rest.flatMap((part) => (isA(part, kind) ? part.slice(1) : [])) as string[];
  const body = rest.filter((part) => !["type", "param", "result", "local"].some((kind) => isA(part, kind)));
  const locals = localNames(body, types("param").length + types("local").length);
  const declared = [...types("param"), ...types("local")].map((type, index) => [
    index < parameters.length ? "param" : "local",
    locals[index]!,
    type,
  ]);
  const header = ["func", name, ...declared.slice(0, parameters.length), ["result", ...types("result")]];
  return [
    ...header,
    ...declared.slice(parameters.length),
    ...body.map((part) => named(part, { functions, locals }, [])),
  ];
}

/** What lies where in the hart's state. */
const places = new Map<number, string>([
  ...registerNames.map((name, r) => [HartState.x + 8 * r, name] as const),
  ...floatRegisterNames.map((name, r) => [HartState.f + 8 * r, name] as const),
  ...Object.entries(HartState)
    .filter(([name]) => name !== "x" && name !== "f")
    .map(([name, at]) => [at, name] as const),
]);

/** Names for locals that stand for a part of the hart's state or of what the exits are told; others keep their number. */
function localNames(body: readonly Expression[], count: number): string[] {
  const names = Array.from({ length: count }, (_, index) => parameters[index] ?? `$${index}`);
  const text = body
    .map((part) => print(part))
    .join(" ")
    .replace(/\s+/g, " ");
  const give = (local: string | undefined, name: string | undefined): void => {
    if (local === undefined || name === undefined || Number(local) < parameters.length) return;
    if (/^\$\d+$/.test(names[Number(local)]!) && !names.includes(`$${name}`)) names[Number(local)] = `$${name}`;
  };
  const load = /\(local\.set (\d+) \(\w+\.load offset=(\d+)(?: align=\d+)? \(local\.get 0\)\)\)/g;
  const store = /\(\w+\.store offset=(\d+)(?: align=\d+)? \(local\.get 0\) \(local\.get (\d+)\)\)/g;
  const exit = /\(i64\.add \(local\.get (\d+)\) \(i64\.shr_s \(local\.get (\d+)\)/g;
  const widening = /\(local\.set (\d+) \(i64\.extend_i32_s \(local\.get (\d+)\)\)\)/g;
  for (const [, local, at] of text.matchAll(load)) give(local, places.get(Number(at)));
  for (const [, at, local] of text.matchAll(store)) give(local, places.get(Number(at)));
  for (const [, home, told] of text.matchAll(exit)) [give(home, "home"), give(told, "exit")];
  for (const [, whole, word] of text.matchAll(widening)) {
    const name = names[Number(whole)]!;
    if (!/^\$\d+$/.test(name)) give(word, `${name.slice(1)}.word`);
  }
  return names;
}

interface Names {
  readonly functions: readonly string[];
  readonly locals: readonly string[];
}

/** @param labels of the enclosing blocks, the innermost last. */
function named(item: Expression, names: Names, labels: readonly string[]): Expression {
  if (typeof item === "string") return item;
  const [head, ...rest] = item as [string, ...Expression[]];
  const inner = (parts: readonly Expression[], within = labels) => parts.map((part) => named(part, names, within));
  switch (head) {
    case "block":
    case "loop":
    case "if": {
      const label = `$${head}${labels.length + 1}`;
      const body = inner(rest, [...labels, label]);
      return JSON.stringify(body).includes(`"${label}"`) ? [head, label, ...body] : [head, ...body];
    }
    case "br":
    case "br_if":
    case "br_table": {
      const targets = rest.filter((part) => typeof part === "string");
      return [head, ...targets.map((target) => labels.at(-1 - Number(target))!), ...inner(rest.slice(targets.length))];
    }
    case "local.get":
    case "local.set":
    case "local.tee":
      return [head, names.locals[Number(rest[0])]!, ...inner(rest.slice(1))];
    case "call":
    case "return_call":
      return [head, names.functions[Number(rest[0])]!, ...inner(rest.slice(1))];
    default:
      return isAccess(head)
        ? [head, ...offset(rest), ...inner(rest.filter((part) => typeof part !== "string"))]
        : [head, ...inner(rest)];
  }
}

const isAccess = (head: string): boolean => /\.(load|store|atomic)/.test(head);

/** The offset of an access, and in a comment what is there if the address is the hart's. */
function offset(operands: readonly Expression[]): string[] {
  const [text] = operands.filter((part) => typeof part === "string" && part.startsWith("offset=")) as string[];
  const address = operands.find((part) => typeof part !== "string");
  const isHart = address !== undefined && isA(address, "local.get") && address[1] === "0";
  const at = Number(text?.slice("offset=".length) ?? 0);
  const place = isHart ? (places.get(at) ?? (at === 0 ? registerNames[0] : undefined)) : undefined;
  return [...(text === undefined ? [] : [text]), ...(place === undefined ? [] : [`(;${place};)`])];
}
