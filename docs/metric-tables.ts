/**
 * Writes the tables of metrics in docs/operations.md from the list in src/stats/metrics.ts, between two marks.
 *   npm run docs                                      writes them
 *   node --import tsx docs/metric-tables.ts --check   fails when they are out of date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { METRIC_GROUPS, type Metric } from '../src/stats/metrics.ts';

const START = '<!-- metrics: made by `npm run docs` from src/stats/metrics.ts -->';
const END = '<!-- end of metrics -->';

const page = fileURLToPath(new URL('operations.md', import.meta.url));
const text = readFileSync(page, 'utf8');
const wanted = withTables(text);
if (!process.argv.includes('--check')) {
  writeFileSync(page, wanted);
} else if (wanted !== text) {
  console.error('The tables of metrics in docs/operations.md are out of date: npm run docs');
  process.exit(1);
}

function withTables(document: string): string {
  const start = document.indexOf(START);
  const end = document.indexOf(END);
  if (start < 0 || end < start) throw new Error(`docs/operations.md lacks the marks ${START} and ${END}`);
  return `${document.slice(0, start + START.length)}\n\n${tables()}\n\n${document.slice(end)}`;
}

function tables(): string {
  return METRIC_GROUPS.map(
    ({ title, metrics }) =>
      `**${title}**\n\n| metric | kind | what it is |\n| --- | --- | --- |\n${metrics.map(row).join('\n')}`,
  ).join('\n\n');
}

function row({ name, label, kind, help }: Metric): string {
  const cells = [label === undefined ? `\`${name}\`` : `\`${name}{${label}}\``, kind, help];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
