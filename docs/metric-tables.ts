/** The tables of metrics in docs/operations.md, from the list in src/stats/metrics.ts. */
import { METRIC_GROUPS, type Metric } from '../src/stats/metrics.ts';
import { markdownTable } from './markdown-table.ts';

export function metricTables(): string {
  return METRIC_GROUPS.map(
    ({ title, metrics }) =>
      `**${title}**\n\n${markdownTable(['metric', 'kind', 'what it is'], metrics.map(row))}`,
  ).join('\n\n');
}

function row({ name, label, kind, help }: Metric): string[] {
  return [label === undefined ? `\`${name}\`` : `\`${name}{${label}}\``, kind, help];
}
