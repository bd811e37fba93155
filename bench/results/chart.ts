/** Draws the ratios of a result as an SVG picture that is readable on light and on dark pages. */
import type { JsonResult, JsonRow } from "./json.ts";
import { ratioText, shortNumber } from "./table.ts";

const WIDTH = 760;
const LABEL = 230;
const VALUE = 190;
const ROW = 22;
const HEAD = 56;
const GROUP = 30;
const FOOT = 34;
const PLOT = WIDTH - LABEL - VALUE;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .group { font-weight: 600 }
  .small { font-size: 11px; fill: #59636e }
  .value { font-variant-numeric: tabular-nums }
  .grid { stroke: #d1d9e0 }
  .one { stroke: #59636e }
  .faster { fill: #1a7f37 }
  .slower { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .one { stroke: #9198a1 }
    .faster { fill: #3fb950 }
    .slower { fill: #db6d28 }
  }`;

const escapeText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const fixed = (value: number): string => value.toFixed(1);

/** Ratios that get a line: powers of two around all values, 1 among them. */
export function gridRatios(ratios: readonly number[]): number[] {
  const low = Math.floor(Math.log2(Math.min(1, ...ratios)));
  const high = Math.max(low + 1, Math.ceil(Math.log2(Math.max(1, ...ratios))));
  return Array.from({ length: high - low + 1 }, (_, index) => 2 ** (low + index));
}

type Charted = JsonRow & { readonly ratio: number };
const charted = (row: JsonRow): row is Charted => row.ratio !== undefined && Number.isFinite(row.ratio);

/** The picture: a bar for each workload with a ratio, on a logarithmic axis, longer to the right where we are faster. */
export function chart(result: JsonResult): string {
  const rows = result.rows.filter(charted);
  const groups = result.groups.filter(({ name }) => rows.some((row) => row.group === name));
  const height = HEAD + rows.length * ROW + groups.length * GROUP + FOOT;
  const grid = gridRatios(rows.map(({ ratio }) => ratio));
  const [low, high] = [Math.log2(grid[0]), Math.log2(grid[grid.length - 1])];
  const x = (ratio: number): number => LABEL + (PLOT * (Math.log2(ratio) - low)) / (high - low);
  const parts = [axis(grid, x, height)];
  let y = HEAD;
  for (const { name, title, geometricMean } of groups) {
    const mean = geometricMean === undefined ? "" : `geometric mean ${ratioText(geometricMean)}`;
    parts.push(
      `<text class="group" x="12" y="${y + 20}">${escapeText(title)}</text>`,
      `<text class="group value" x="${WIDTH - VALUE + 12}" y="${y + 20}">${mean}</text>`,
    );
    y += GROUP;
    for (const row of rows.filter(({ group }) => group === name)) {
      parts.push(bar(row, x, y));
      y += ROW;
    }
  }
  const { date, revision, host } = result.environment;
  const where = `${revision}, ${date.slice(0, 10)}, ${host.cores} × ${host.processor}; medians of ${result.environment.repeat}`;
  const title = `How many times faster than ${result.compared}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeText(title)}">`,
    `<style>${style}\n</style>`,
    `<text class="title" x="12" y="24">${escapeText(title)}</text>`,
    `<text class="small" x="${WIDTH - 12}" y="${HEAD - 6}" text-anchor="end">seconds: own, other</text>`,
    ...parts,
    `<text class="small" x="12" y="${height - 12}">${escapeText(where)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

function axis(grid: readonly number[], x: (ratio: number) => number, height: number): string {
  return grid
    .flatMap((ratio) => {
      const at = fixed(x(ratio));
      const kind = ratio === 1 ? "one" : "grid";
      return [
        `<line class="${kind}" x1="${at}" y1="${HEAD}" x2="${at}" y2="${height - FOOT}"/>`,
        `<text class="small" x="${at}" y="${HEAD - 6}" text-anchor="middle">${ratio >= 1 ? ratio : `1/${1 / ratio}`}×</text>`,
      ];
    })
    .join("\n");
}

function bar(
  { title, ratio, bulkheadSeconds, qemuSeconds, otherSeconds }: Charted,
  x: (ratio: number) => number,
  y: number,
): string {
  const [from, to] = [x(Math.min(1, ratio)), x(Math.max(1, ratio))];
  const other = qemuSeconds ?? otherSeconds;
  const seconds =
    bulkheadSeconds === undefined || other === undefined
      ? ""
      : `${shortNumber(bulkheadSeconds)}, ${shortNumber(other)}`;
  return [
    `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${escapeText(title)}</text>`,
    `<rect class="${ratio >= 1 ? "faster" : "slower"}" x="${fixed(from)}" y="${y + 3}" width="${fixed(Math.max(1, to - from))}" height="${ROW - 8}" rx="2"/>`,
    `<text class="value" x="${WIDTH - VALUE + 12}" y="${y + 14}">${ratioText(ratio)}</text>`,
    `<text class="small value" x="${WIDTH - 12}" y="${y + 14}" text-anchor="end">${seconds}</text>`,
  ].join("\n");
}
