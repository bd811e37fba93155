/** `--allow` and `--deny`: rules keep the order in which they stand on the command line, whichever option they are of. */
import { parseRule, type Rule } from "@bulkhead/network";
import { InvalidArgumentError } from "commander";

export interface OrderedRule {
  readonly rule: Rule;
  readonly order: number;
}

let next = 0;

/** Reads the value of an option. */
export const orderedRule =
  (allow: boolean) =>
  (text: string): OrderedRule => {
    const rule = parseRule(text, allow);
    if (typeof rule === "string") throw new InvalidArgumentError(rule);
    return { rule, order: next++ };
  };

/** The rules of both options, first that was given first. */
export const inOrder = (...rules: readonly (readonly OrderedRule[] | undefined)[]): readonly Rule[] =>
  rules
    .flatMap((each) => each ?? [])
    .sort((a, b) => a.order - b.order)
    .map(({ rule }) => rule);
