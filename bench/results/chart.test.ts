import assert from "node:assert/strict";
import { test } from "node:test";
import { chart, gridRatios } from "./chart.ts";
import { jsonResult } from "./json.ts";
import { comparison, environment, madeSamples, workloads } from "./made-result.ts";
import { groupResults, rowsOf } from "./rows.ts";

const draw = (only: (name: string) => boolean): string => {
  const chosen = workloads.filter(({ name }) => only(name));
  return chart(jsonResult(groupResults(rowsOf(chosen, madeSamples(), comparison)), comparison, environment, []));
};

test("gridRatios: has powers of two around all ratios, and always 1", () => {
  assert.deepEqual(gridRatios([1.5, 3]), [1, 2, 4]);
  assert.deepEqual(gridRatios([0.3]), [0.25, 0.5, 1]);
  assert.deepEqual(gridRatios([]), [1, 2]);
  assert.deepEqual(gridRatios([0.9, 1.1]), [0.5, 1, 2]);
});

test("chart: draws a bar for each ratio, with groups, means and no raw markup of titles", () => {
  const svg = draw(() => true);
  assert.equal(svg.match(/<rect /g)?.length, 3);
  assert.match(svg, /small programs/);
  assert.match(svg, /geometric mean 2\.00×/);
  assert.match(svg, /boot &lt;quick&gt;/);
  assert.match(svg, /A &amp; B/);
  assert.match(svg, /prefers-color-scheme: dark/);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
});

test("chart: without a ratio is a picture without bars", () => {
  const svg = draw((name) => name === "idle-cpu");
  assert.doesNotMatch(svg, /<rect |NaN/);
});

test("chart: closes every element that it opens", () => {
  const open: string[] = [];
  for (const [, closing, name, selfClosing] of draw(() => true).matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
    if (closing) assert.equal(open.pop(), name);
    else if (!selfClosing) open.push(name);
  }
  assert.deepEqual(open, []);
});
