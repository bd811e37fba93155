/**
 * Runs the RISC-V project's `riscv-tests` from a folder of built ELF files on every tier and prints a table of results.
 * Called as `npm run conformance -- FOLDER [--tier NAME] [--filter PATTERN] [--markdown FILE]`.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isElf } from "../../packages/machine/src/boot/elf.ts";
import { type Tier, tiers } from "./bare-machine.ts";
import { failures, type Result, resultTable } from "./table.ts";
import { runTest } from "./test-program.ts";

const usage = `usage: npm run conformance -- FOLDER [--tier NAME] [--filter PATTERN] [--markdown FILE]
  FOLDER              the built riscv-tests, one ELF file each
  --tier NAME         ${Object.keys(tiers).join(", ")}; may be repeated; all of them by default
  --filter PATTERN    only tests whose names match this regular expression
  --markdown FILE     also writes the table there`;

const isTier = (name: string): name is Tier => Object.hasOwn(tiers, name);

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tier: { type: "string", multiple: true },
      filter: { type: "string", default: "" },
      markdown: { type: "string" },
    },
  });
  const [folder] = positionals;
  const chosen = values.tier ?? Object.keys(tiers);
  if (folder === undefined || !chosen.every(isTier)) {
    console.error(usage);
    return 2;
  }
  const results = runFolder(folder, new RegExp(values.filter), chosen);
  const table = resultTable(results, chosen);
  const failed = failures(results);
  console.log([table, ...failed].join("\n"));
  if (values.markdown !== undefined) writeFileSync(values.markdown, `${table}\n`);
  return results.length > 0 && failed.length === 0 ? 0 : 1;
}

function runFolder(folder: string, filter: RegExp, chosen: readonly Tier[]): Result[] {
  const results: Result[] = [];
  for (const test of readdirSync(folder).sort()) {
    if (!filter.test(test)) continue;
    const file = readFileSync(join(folder, test));
    if (!isElf(file)) continue;
    results.push({ test, verdicts: Object.fromEntries(chosen.map((tier) => [tier, runTest(file, tier)])) });
  }
  return results;
}

process.exitCode = main();
