/** A load's result as a summary for people and as a page with plots. Pure. */
import { lineChart, paragraph, reportPage, tableHtml } from './line-chart.ts';
import type { LoadResult } from './stress-record.ts';

const HOW =
  'Latency counts from when a request was due at the constant rate, not from when it could be sent, so that waiting is not left out.';

export function summary(result: LoadResult): string {
  return `${rows(result)
    .map(([name, value]) => `${name.padEnd(12)}${value}`)
    .join('\n')}\n`;
}

export function plotPage(title: string, result: LoadResult): string {
  const { timeline } = result;
  const line = (name: string, of: (second: (typeof timeline)[number]) => number) => ({
    name,
    points: timeline.map((second) => [second.second, of(second)] as const),
  });
  return reportPage(title, [
    paragraph(HOW),
    tableHtml(['', ''], rows(result)),
    lineChart({
      title: 'Latency over time',
      xLabel: 'seconds since the start',
      yLabel: 'milliseconds',
      isYLogarithmic: true,
      series: [
        line('p50', ({ p50Ms }) => p50Ms),
        line('p99', ({ p99Ms }) => p99Ms),
        line('longest', ({ maxMs }) => maxMs),
      ],
    }),
    percentileChart([{ name: 'all requests', result }]),
    lineChart({
      title: 'Replies over time',
      xLabel: 'seconds since the start',
      yLabel: 'a second',
      series: [
        line('answered', ({ answered }) => answered),
        line('refused', ({ refused }) => refused),
        line('failed or unanswered', ({ failed }) => failed),
      ],
    }),
  ]);
}

/** Each further nine takes the same room on the x axis. */
export function percentileChart(
  loads: readonly { readonly name: string; readonly result: LoadResult }[],
): string {
  return lineChart({
    title: 'Percentile curve',
    xLabel: 'percentile',
    yLabel: 'milliseconds',
    isXLogarithmic: true,
    isYLogarithmic: true,
    xMarks: [
      [1, '0 %'],
      [2, '50 %'],
      [10, '90 %'],
      [100, '99 %'],
      [1000, '99.9 %'],
      [10_000, '99.99 %'],
      [100_000, '99.999 %'],
    ],
    series: loads.map(({ name, result }) => ({
      name,
      points: result.curve.map(({ share, ms }) => [1 / (1 - share), ms] as const),
    })),
  });
}

function rows(result: LoadResult): [string, string][] {
  const { latencyMs, unsentMs } = result;
  return [
    [
      'requests',
      `${result.requests} in ${result.seconds.toFixed(1)} s, ${result.perSecond.toFixed(0)} replies a second`,
    ],
    ['answered', String(result.answered)],
    ['refused', `${result.refused} (a failure reason)`],
    ['failed', `${result.failed} (connection lost, or status 400 and above)`],
    ['unanswered', String(result.unanswered)],
    ...(['p50', 'p90', 'p95', 'p99', 'p999', 'max', 'mean'] as const).map((name): [string, string] => [
      name === 'p999' ? 'p99.9' : name,
      `${latencyMs[name].toFixed(3)} ms`,
    ]),
    [
      'unsent',
      `p50 ${unsentMs.p50.toFixed(3)} ms, p99 ${unsentMs.p99.toFixed(3)} ms of it passed before sending`,
    ],
  ];
}
