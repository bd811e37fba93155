/**
 * Runs the RISC-V project's `riscv-tests` from a folder of built ELF files on every tier and prints a table of results.
 * Called as `npm run conformance -- FOLDER [--tier NAME] [--seed N] [--filter PATTERN] [--markdown FILE]`.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isElf } from "../../packages/machine/src/boot/elf.ts";
import { type Tier, tiers } from "./bare-machine.ts";
import { failures, type Result, resultTable } from "./table.ts";
import { runTest } from "./test-program.ts";

const usage = `usage: npm run conformance -- FOLDER [--tier NAME] [--seed N] [--filter PATTERN] [--markdown FILE]
  FOLDER              the built riscv-tests, one ELF file each
  --tier NAME         ${Object.keys(tiers).join(", ")}; may be repeated; all of them by default
  --seed N            of what the tier \`random\` leaves to chance; random by default, and printed
  --filter PATTERN    only tests whose names match this regular expression
  --markdown FILE     also writes the table there`;

const isTier = (name: string): name is Tier => Object.hasOwn(tiers, name);

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tier: { type: "string", multiple: true },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
      filter: { type: "string", default: "" },
      markdown: { type: "string" },
    },
  });
  const [folder] = positionals;
  const chosen = values.tier ?? Object.keys(tiers);
  if (folder === undefined || !chosen.every(isTier) || !/^\d+$/.test(values.seed)) {
    console.error(usage);
    return 2;
  }
  if (chosen.includes("random")) console.log(`seed ${values.seed}`);
  const results = runFolder(folder, new RegExp(values.filter), chosen, Number(values.seed));
  const table = resultTable(results, chosen);
  const failed = failures(results);
  console.log([table, ...failed].join("\n"));
  if (values.markdown !== undefined) writeFileSync(values.markdown, `${table}\n`);
  return results.length > 0 && failed.length === 0 ? 0 : 1;
}

function runFolder(folder: string, filter: RegExp, chosen: readonly Tier[], seed: number): Result[] {
  const results: Result[] = [];
  for (const test of readdirSync(folder).sort()) {
    if (!filter.test(test)) continue;
    const file = readFileSync(join(folder, test));
    if (!isElf(file)) continue;
    results.push({ test, verdicts: Object.fromEntries(chosen.map((tier) => [tier, runTest(file, tier, { seed })])) });
  }
  return results;
}

process.exitCode = main();
