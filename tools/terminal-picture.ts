/**
 * Draws terminal output as a picture for the README: `bulkhead run … | node tools/terminal-picture.ts TITLE > picture.svg`.
 * Keeps the last lines that fit; escape sequences and control characters are left out.
 */
import { text } from "node:stream/consumers";

const [LINES, COLUMNS, LINE_HEIGHT, CHARACTER_WIDTH, MARGIN] = [28, 104, 17, 7.8, 14];
/** Escape sequences of ECMA-48 (CSI, OSC and two-character ones), then what is left of control characters. */
const CONTROLS = new RegExp(
  [
    "\\u001b\\[[0-?]*[ -/]*[@-~]",
    "\\u001b\\][^\\u0007\\u001b]*\\u0007?",
    "\\u001b.",
    "[\\u0000-\\u0009\\u000b-\\u001f]",
  ].join("|"),
  "g",
);

const plain = (await text(process.stdin)).replaceAll("\r\n", "\n").replace(CONTROLS, "");
const lines = plain.trimEnd().split("\n").slice(-LINES);
const title = process.argv[2] ?? "";

const escaped = (line: string): string => line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const width = Math.ceil(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN);
const height = (lines.length + 2) * LINE_HEIGHT + 2 * MARGIN;
const rows = lines.map((line, index) => {
  const y = MARGIN + (index + 2.5) * LINE_HEIGHT;
  return `<text x="${MARGIN}" y="${y}" xml:space="preserve">${escaped(line.slice(0, COLUMNS))}</text>`;
});

console.log(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="#16181d"/>
<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#d6dae3">
<text x="${MARGIN}" y="${MARGIN + 12}" fill="#7fb069">${escaped(`$ ${title}`)}</text>
${rows.join("\n")}
</g>
</svg>`);
