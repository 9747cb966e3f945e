/** The tables of metrics in docs/operations.md, from the list in src/stats/metrics.ts. */
import { METRIC_GROUPS, type Metric } from '../src/stats/metrics.ts';

export function metricTables(): string {
  return METRIC_GROUPS.map(
    ({ title, metrics }) =>
      `**${title}**\n\n| metric | kind | what it is |\n| --- | --- | --- |\n${metrics.map(row).join('\n')}`,
  ).join('\n\n');
}

function row({ name, label, kind, help }: Metric): string {
  const cells = [label === undefined ? `\`${name}\`` : `\`${name}{${label}}\``, kind, help];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
